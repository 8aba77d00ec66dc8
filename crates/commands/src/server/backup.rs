//! `BACKUP`: a copy of the data set in a directory, made while everybody goes on and read back before it is called
//! good. Unlike Redis's it is the data set of BACKUP START: what is written until BACKUP SEAL is not in it.

use command::backup::BackupStage;
use command::{Args, Categories, Ctx, Error, Flags, Group, Outcome, Spec};

/// `BACKUP`
pub const BACKUP: Spec = Spec {
    name: "backup",
    arity: -2,
    group: Group::Server,
    since: "8.10.0",
    summary: "Holds the commands that make backups.",
    complexity: "Depends on the subcommand.",
    subcommands: &[
        &Spec {
            name: "start",
            // The backup is the data set of this moment.
            flags: CHANGES.union(Flags::EXCLUSIVE),
            summary: "Begins a backup into the directory `backupdirname`.",
            run: start,
            ..COMMON
        },
        &Spec {
            name: "seal",
            flags: CHANGES,
            summary: "Completes the backup with its manifest.",
            run: seal,
            ..COMMON
        },
        &Spec {
            name: "status",
            flags: Flags::ADMIN.union(Flags::STALE),
            summary: "Says how far the backup is.",
            run: status,
            ..COMMON
        },
        &Spec {
            name: "list",
            flags: Flags::ADMIN.union(Flags::STALE),
            summary: "Lists the files of the backup that do not change any more.",
            run: list,
            ..COMMON
        },
        &Spec {
            name: "abort",
            flags: CHANGES.union(Flags::EXCLUSIVE),
            summary: "Gives the backup up that is under way.",
            run: abort,
            ..COMMON
        },
        &Spec {
            name: "cleanup",
            flags: CHANGES,
            summary: "Removes the files of a backup that is sealed or has failed.",
            run: cleanup,
            ..COMMON
        },
        &Spec {
            name: "help",
            flags: Flags::LOADING.union(Flags::STALE),
            summary: "Lists the subcommands.",
            run: help,
            ..COMMON
        },
    ],
    ..Spec::BASE
};

const CHANGES: Flags = Flags::ADMIN.union(Flags::NOSCRIPT);

const COMMON: Spec = Spec {
    container: Some("backup"),
    arity: 2,
    categories: Categories::empty(),
    group: Group::Server,
    since: "8.10.0",
    complexity: "O(1)",
    ..Spec::BASE
};

fn start(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    if ctx.services.backups.now().stage.is_under_way() {
        return Err(Error::fixed("ERR A backup is already in progress"));
    }
    if ctx.services.backups.now().stage == BackupStage::Sealed {
        return Err(Error::fixed("ERR A sealed backup exists, run BACKUP CLEANUP first"));
    }
    ctx.services.host.start_backup(ctx.services, ctx.db.held())?;
    ctx.reply.ok();
    Ok(())
}

fn seal(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    if ctx.services.backups.now().stage != BackupStage::Incrementing {
        return Err(Error::fixed("ERR No backup ready to seal"));
    }
    ctx.services.host.seal_backup(ctx.services)?;
    ctx.reply.ok();
    Ok(())
}

fn status(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let backup = ctx.services.backups.now();
    ctx.reply.map(6);
    let numbers = [
        ("start_time", backup.started_s.unsigned_abs()),
        ("end_time", backup.ended_s.unsigned_abs()),
        ("keys", backup.keys),
        ("bytes", backup.bytes),
    ];
    for (name, text) in [("state", backup.stage.name()), ("error", &*backup.error)] {
        ctx.reply.bulk(name.as_bytes());
        ctx.reply.bulk(text.as_bytes());
    }
    for (name, number) in numbers {
        ctx.reply.bulk(name.as_bytes());
        ctx.reply.bulk(number.to_string().as_bytes());
    }
    Ok(())
}

fn list(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let backup = ctx.services.backups.now();
    ctx.reply.array(backup.files.len());
    for file in &backup.files {
        ctx.reply.bulk(file.as_os_str().as_encoded_bytes());
    }
    Ok(())
}

fn abort(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let (stage, walks) = {
        let backup = ctx.services.backups.now();
        (backup.stage, backup.walks)
    };
    if !stage.is_under_way() {
        return Err(Error::fixed("ERR No backup in progress"));
    }
    if walks {
        super::save::give_up(ctx);
    }
    ctx.services.host.end_backup(ctx.services, Some("aborted by user"))?;
    ctx.reply.ok();
    Ok(())
}

fn cleanup(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    if ctx.services.backups.now().stage.is_under_way() {
        return Err(Error::fixed("ERR A backup is in progress, use BACKUP ABORT"));
    }
    ctx.services.host.end_backup(ctx.services, None)?;
    ctx.reply.ok();
    Ok(())
}

fn help(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    const LINES: &[&str] = &[
        "START",
        "    Begin a backup into the directory that backupdirname names.",
        "SEAL",
        "    Complete it with its manifest.",
        "STATUS",
        "    Say how far it is.",
        "LIST",
        "    List its files that do not change any more.",
        "ABORT",
        "    Give up the backup that is under way.",
        "CLEANUP",
        "    Remove the files of a backup that is sealed or has failed.",
    ];
    crate::help::reply(ctx, args, LINES);
    Ok(())
}
