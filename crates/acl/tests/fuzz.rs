//! The fuzz target of this crate for a bounded time; `FUZZ_SECONDS=600` for a longer one.

#[path = "../../../fuzz/bodies/acl_rules.rs"]
mod acl_rules;
#[path = "../../../fuzz/bodies/drive.rs"]
mod drive;

#[test]
fn what_is_told_of_rules_makes_the_same_user() {
    let seeds: &[&[u8]] = &[
        b"on\n>secret\n~k*\n&c\n+@all\n-@write",
        b"%R~r*\n%W~w\n%RW~x",
        b"(+get ~a)\n(%R~b &c -@all +config|get)\nclearselectors",
        b"+select|0\n+select|1\n-config|set\n+config",
        b"db=0,1\nresetdbs\nalldbs\nrole=r\nresetroles",
        b"#ca978112ca1bbdcafac231b39a23dc4da786eff8147c4f72b9807785afee48bb\n!ca97\n<secret",
        b"allkeys\nresetkeys\nallchannels\nresetchannels\nallcommands\nnocommands\nreset",
        b"nopass\nresetpass\noff\nskip-sanitize-payload\nsanitize-payload",
    ];
    let pieces: &[&[u8]] = &[
        b"\n", b" ", b"(", b")", b"+", b"-", b"@", b"|", b"~", b"%", b"&", b"*", b"\"", b"'",
        b"\\", b"\0", b"\xff", b"get", b"config", b"select", b"db=", b",", b"role=r",
    ];
    drive::drive(acl_rules::acl_rules, seeds, pieces);
}
