//! JSON pointers (RFC 6901).

/// The JSON pointer of these steps.
pub fn pointer(steps: &[impl AsRef<str>]) -> String {
    steps.iter().fold(String::new(), |pointer, step| {
        let step = step.as_ref().replace('~', "~0").replace('/', "~1");
        format!("{pointer}/{step}")
    })
}
