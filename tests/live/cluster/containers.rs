//! Services without a blueprint on the cluster, in a namespace that enforces `restricted`.

use std::process::{Command, Output};

use super::namespace::{Namespace, kubeconfig, kubectl};

/// The cluster's registry, which has the public images, too.
const REGISTRY: &str = "localhost:5000";

fn gantline(folder: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gantline"))
        .args(arguments)
        .env("KUBECONFIG", kubeconfig())
        // The name of the context is kept for the user: here for nobody.
        .env("XDG_CONFIG_HOME", folder.join(".gantline/run"))
        .current_dir(folder)
        .output()
        .unwrap()
}

fn done(folder: &std::path::Path, arguments: &[&str]) -> String {
    let output = gantline(folder, arguments);
    let text = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
    assert!(output.status.success(), "{arguments:?}: {}", text.concat());
    text.concat()
}

#[test]
#[ignore = "needs the live cluster and Docker"]
fn an_image_and_a_dockerfile_are_deployed_and_reach_each_other() {
    let namespace = Namespace::new();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "gantline.yaml",
        &format!(
            "version: 1\nname: live\nmodule: example.com/live\nregistry: {REGISTRY}/{}\n",
            namespace.name
        ),
    );
    write(
        "services/pages/service.yaml",
        &format!(
            "name: pages\nimage: {REGISTRY}/library/busybox:1.37\nports: {{http: 8080}}\n\
             command: [sh, -c]\n\
             args: [\"echo hello > /srv/index.html; exec httpd -f -p 8080 -h /srv\"]\n\
             writable: [/srv]\nhealth: /\nscale: 1\n"
        ),
    );
    write(
        "services/asks/service.yaml",
        // `wait` is for the local stack: here both start at once, and this one asks until the
        // other answers.
        "name: asks\nbuild: .\nports: {http: 8080}\nhealth: {exec: [test, -f, /tmp/index.html]}\n\
         needs: [{service: pages, wait: true}]\nscale: 1\n",
    );
    write(
        "services/asks/Dockerfile",
        "FROM busybox:1.37\nCMD [\"sh\", \"-c\", \"\
         until wget -q -O /tmp/index.html $PAGES_URL/; do sleep 0.2; done; \
         exec httpd -f -p 8080 -h /tmp\"]\n",
    );
    done(root, &["generate"]);
    let context = kubectl(&["config", "current-context"], "");
    let context = String::from_utf8_lossy(&context.stdout).trim().to_owned();
    done(
        root,
        &[
            "add",
            "environment",
            "live",
            "--context",
            &context,
            "--namespace",
            &namespace.name,
        ],
    );
    let said = done(root, &["deploy", "live", "--build"]);
    assert!(said.contains("pages") && said.contains("asks"), "{said}");
    let got = namespace.kubectl(
        &[
            "exec",
            "deployment/asks",
            "--",
            "wget",
            "-q",
            "-O",
            "-",
            "http://asks:8080/",
        ],
        "",
    );
    assert_eq!(String::from_utf8_lossy(&got.stdout), "hello\n", "{got:?}");
    let image = namespace.kubectl(
        &[
            "get",
            "deployment/pages",
            "--output=jsonpath={.spec.template.spec.containers[0].image}",
        ],
        "",
    );
    let image = String::from_utf8_lossy(&image.stdout).into_owned();
    assert!(image.contains("busybox:1.37@sha256:"), "{image}");
    let again = done(root, &["deploy", "live"]);
    assert!(again.contains("unchanged"), "{again}");
    done(root, &["destroy", "live", "--yes"]);
}
