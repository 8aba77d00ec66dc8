//! Packages: their layers, their lints, their crates' descriptions.

use super::Finding;
use super::tree::Tree;
use std::collections::BTreeMap;

/// Where the layered crates lie. Packages elsewhere (tests, tasks) stand above all layers.
const LAYERED: &str = "crates/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let packages = tree.packages();
    let mut out = layers(&packages);
    for (folder, manifest) in &packages {
        let path = format!("{folder}/Cargo.toml");
        let inherited = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        // A package with a workspace of its own has no lints to inherit.
        if inherited.and_then(toml::Value::as_bool) != Some(true)
            && !manifest.contains_key("workspace")
        {
            out.push(Finding::new(&path, 0, "no `[lints] workspace = true`"));
        }
        for root in tree.crate_roots(folder) {
            if !begins_with_doc(&tree.texts[root]) {
                out.push(Finding::new(root, 1, "a crate begins with `//!`: what it is for"));
            }
        }
    }
    out
}

/// Whether `//!` comes before the first item; attributes of the crate may stand above it.
fn begins_with_doc(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_start);
    lines
        .find(|line| !line.is_empty() && !line.starts_with("#!["))
        .is_some_and(|line| line.starts_with("//!"))
}

fn layers(packages: &BTreeMap<&str, toml::Table>) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut layer_of = BTreeMap::new();
    for (folder, manifest) in packages {
        let layer = layer(manifest);
        if folder.starts_with(LAYERED) && layer.is_none() {
            let message = "no `[package.metadata.rubrica] layer = N`";
            out.push(Finding::new(&format!("{folder}/Cargo.toml"), 0, message));
        }
        layer_of.insert(name(manifest), layer);
    }
    for (folder, manifest) in packages {
        let Some(mine) = layer(manifest) else { continue };
        for dependency in dependencies(manifest) {
            let problem = match layer_of.get(dependency) {
                // Not a package of this tree.
                None => continue,
                Some(Some(theirs)) if *theirs < mine => continue,
                Some(Some(theirs)) => format!("which is in layer {theirs}"),
                Some(None) => "which has no layer".to_owned(),
            };
            let message = format!("layer {mine} depends on {dependency}, {problem}");
            out.push(Finding::new(&format!("{folder}/Cargo.toml"), 0, message));
        }
    }
    out
}

fn name(manifest: &toml::Table) -> &str {
    manifest["package"].get("name").and_then(toml::Value::as_str).unwrap_or_default()
}

fn layer(manifest: &toml::Table) -> Option<i64> {
    manifest["package"].get("metadata")?.get("rubrica")?.get("layer")?.as_integer()
}

/// Names of everything that a package depends on, also for its tests and under `[target.*]`.
fn dependencies(manifest: &toml::Table) -> Vec<&str> {
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let targets = targets.into_iter().flat_map(|targets| targets.values());
    let tables = std::iter::once(manifest).chain(targets.filter_map(toml::Value::as_table));
    let mut out = Vec::new();
    for table in tables {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(listed) = table.get(kind).and_then(toml::Value::as_table) else { continue };
            out.extend(listed.iter().map(|(key, value)| {
                value.get("package").and_then(toml::Value::as_str).unwrap_or(key)
            }));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, layer: Option<u32>, rest: &str) -> String {
        let layer = layer
            .map(|layer| format!("[package.metadata.rubrica]\nlayer = {layer}\n"))
            .unwrap_or_default();
        format!("[package]\nname = \"{name}\"\n{layer}[lints]\nworkspace = true\n{rest}")
    }

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_dependency_upwards_or_sideways_is_found() {
        let low = package("low", Some(0), "[dependencies]\nanyhow.workspace = true\n");
        let side = package("side", Some(0), "[dev-dependencies]\nlow.workspace = true\n");
        let high = package("high", Some(1), "[dependencies]\nl = { package = \"low\" }\n");
        let down = package("down", Some(0), "[target.'cfg(unix)'.dependencies]\nhigh = {}\n");
        let found = messages(&[
            ("crates/low/Cargo.toml", &low),
            ("crates/side/Cargo.toml", &side),
            ("crates/high/Cargo.toml", &high),
            ("crates/down/Cargo.toml", &down),
        ]);
        assert_eq!(
            found,
            [
                "layer 0 depends on high, which is in layer 1",
                "layer 0 depends on low, which is in layer 0"
            ]
        );
    }

    #[test]
    fn a_crate_without_layer_is_found_and_a_test_package_needs_none() {
        let none = package("none", None, "");
        let uses = package("uses", Some(3), "[dependencies]\nsuite.workspace = true\n");
        let suite = package("suite", None, "[dependencies]\nuses.workspace = true\n");
        let found = messages(&[
            ("crates/none/Cargo.toml", &none),
            ("crates/uses/Cargo.toml", &uses),
            ("tests/suite/Cargo.toml", &suite),
        ]);
        assert_eq!(
            found,
            [
                "no `[package.metadata.rubrica] layer = N`",
                "layer 3 depends on suite, which has no layer"
            ]
        );
    }

    #[test]
    fn a_package_inherits_the_lints() {
        let found = messages(&[("xtask/Cargo.toml", "[package]\nname = \"x\"\n")]);
        assert_eq!(found, ["no `[lints] workspace = true`"]);
    }

    #[test]
    fn every_crate_says_what_it_is_for() {
        let manifest = package("a", Some(0), "");
        let found = messages(&[
            ("crates/a/Cargo.toml", &manifest),
            ("crates/a/src/lib.rs", "#![forbid(unsafe_code)]\n//! What.\n"),
            ("crates/a/src/main.rs", "// no\nfn main() {}\n"),
            ("crates/a/src/part.rs", "fn part() {}\n"),
        ]);
        assert_eq!(found, ["a crate begins with `//!`: what it is for"]);
    }
}
