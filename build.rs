//! Rebuilds when a file of the catalogue comes or goes: it is embedded in the program.

fn main() {
    for folder in ["blueprints", "templates"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
