//! The users that a server begins with: those of its configuration, or of the file that this names.

use std::path::Path;

use acl::{Definition, SetError};
use command::{Services, acl_defaults};
use config::{Config, Directive, Files, OsFiles};

/// Defines the users.
///
/// # Errors
/// Says which line is wrong.
pub fn load(services: &Services) -> Result<(), String> {
    let config = services.config.load();
    let defaults = acl_defaults(&config);
    let is_configured = !config.users.is_empty() || !config.roles.is_empty();
    if is_configured && !config.aclfile.is_empty() {
        return Err(
            "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is \
             invalid. This setup is very likely to lead to configuration errors and security holes, please define \
             either an ACL file or declare users directly in your redis.conf, but not both."
                .into(),
        );
    }
    if !config.requirepass.is_empty() {
        services.acl.set_default_password(Some(&config.requirepass), defaults);
    }
    if is_configured {
        load_configured(services, &config)?;
    }
    if !config.aclfile.is_empty() {
        let path = config.aclfile.as_str();
        let loaded = match OsFiles.read(Path::new(path)) {
            Ok(text) => services.acl.load(&text, path, defaults),
            Err(error) => Err(commands::cannot_open_users(path, &error)),
        };
        loaded
            .map_err(|errors| format!("Aborting Redis startup because of ACL errors: {errors}"))?;
    }
    Ok(())
}

fn load_configured(services: &Services, config: &Config) -> Result<(), String> {
    let lines: Vec<(&Directive, bool)> = config
        .roles
        .iter()
        .map(|line| (line, true))
        .chain(config.users.iter().map(|line| (line, false)))
        .collect();
    let mut definitions: Vec<Definition> = Vec::new();
    for (line, is_role) in &lines {
        let kind = if *is_role { "role" } else { "user" };
        let failed = |why: &str| line.error(why).to_string();
        let Some((name, rules)) = line.args.split_first() else { continue };
        if *is_role && let Some(why) = acl::wrong_role_name(name) {
            return Err(failed(why));
        }
        if acl::has_spaces(name) {
            return Err(failed("Spaces not allowed in ACL usernames"));
        }
        if definitions.iter().any(|known| known.is_role == *is_role && known.name == *name) {
            let name = String::from_utf8_lossy(name);
            return Err(failed(&format!(
                "Error in {kind} declaration '{name}': Duplicate {kind} found. A {kind} can only be defined once in \
                 config files"
            )));
        }
        definitions.push(Definition {
            name: name.clone(),
            rules: rules.to_vec(),
            is_role: *is_role,
        });
    }
    let defaults = acl_defaults(config);
    services.acl.replace(&definitions, defaults).map_err(|(place, error)| {
        let Some((line, is_role)) = lines.get(place) else { return error.text("SETUSER") };
        let kind = if *is_role { "role" } else { "user" };
        let why = match &error {
            SetError::Unmatched(_) => error.text("SETUSER"),
            SetError::Rule(rule, why) => {
                format!("Error in {kind} declaration '{}': {why}", String::from_utf8_lossy(rule))
            }
        };
        line.error(why).to_string()
    })?;
    let has_default = definitions.iter().any(|one| !one.is_role && one.name == acl::DEFAULT_USER);
    if !has_default && !config.requirepass.is_empty() {
        services.acl.set_default_password(Some(&config.requirepass), defaults);
    }
    for user in services.acl.users() {
        if !user.rights().account.enabled {
            tracing::info!(
                "The user '{}' is disabled (there is no 'on' modifier in the user description). Make sure this is \
                 not a configuration error.",
                String::from_utf8_lossy(user.name())
            );
        }
    }
    Ok(())
}
