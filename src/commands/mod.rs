//! The commands, one file each: flags, help and a function that calls one action.

mod add;
mod answers;
mod blueprint;
mod build;
mod cluster;
mod completions;
mod conflicts;
mod contract;
mod demo;
mod deploy;
mod destroy;
mod diff;
mod doctor;
mod down;
mod env;
mod generate;
mod history;
mod interrupt;
mod logs;
mod manual;
mod new;
mod question;
mod render;
mod restart;
mod rollback;
mod schema;
mod stack;
mod status;
mod supervise;
mod test;
mod up;
mod upgrade;

use crate::actions::generate::{change_alone, complete_interrupted_above};
use crate::app::App;
use crate::error::{Error, Result};

/// Everything gantline can be asked to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Write what the manifests imply
    Generate(generate::Args),
    /// Bring newer versions of their blueprints to services
    Upgrade(upgrade::Args),
    /// Make a workspace
    New(new::Args),
    /// Add a service, a client, a resource or an environment to the workspace
    Add(add::Args),
    /// Print the JSON Schemas of files, and of what commands print for programs
    Schema(schema::Args),
    /// See what services can be made from
    Blueprint(blueprint::Args),
    /// Hold services to what they promise each other
    Contract(contract::Args),
    /// Print completions for a shell
    Completions(completions::Args),
    /// Check this machine and this workspace, and say what to do
    Doctor(doctor::Args),
    /// Start services and what they need
    Up(up::Args),
    /// Stop the stack, and leave nothing behind
    Down(down::Args),
    /// Show what runs, in what state, and why
    Status(status::Args),
    /// Show logs
    Logs(logs::Args),
    /// Start services, or other parts of the stack, again
    Restart(restart::Args),
    /// Print what a service finds in its environment, as dotenv
    Env(env::Args),
    /// Run the Go tests of services with the servers that they need
    Test(test::Args),
    /// Build the images of services
    Build(build::Args),
    /// Print what would be deployed, without a cluster
    Render(render::Args),
    /// Bring services to an environment
    Deploy(deploy::Args),
    /// Show how an environment differs from what a deployment would make of it
    Diff(diff::Args),
    /// Bring an earlier revision of a service back
    Rollback(rollback::Args),
    /// Show the revisions of a service
    History(history::Args),
    /// Remove services from an environment
    Destroy(destroy::Args),
    /// Make a shop of three services, run it, break a contract, and upgrade what was edited
    Demo(demo::Args),
    /// Own the processes of a stack; started by `up --runtime process`
    #[command(hide = true)]
    Supervise(supervise::Args),
    /// Write the man pages; run by `make dist`
    #[command(hide = true)]
    Manual(manual::Args),
}

impl Command {
    /// Whether it works with the files of a workspace, which must be the old ones or the new ones
    /// of a command that was killed. `new` looks where its workspace shall be, `doctor` only
    /// reports, and `down` must work whatever the files are like.
    fn reads_a_workspace(&self) -> bool {
        !matches!(
            self,
            Self::New(_)
                | Self::Schema(_)
                | Self::Completions(_)
                | Self::Doctor(_)
                | Self::Down(_)
                | Self::Demo(_)
                | Self::Supervise(_)
        )
    }

    /// Whether it plans changes of a workspace's files and makes them, with nothing in between that
    /// another command may change.
    fn changes_a_workspace(&self) -> bool {
        match self {
            Self::Generate(args) => args.writes(),
            Self::Upgrade(args) => args.writes(),
            Self::Add(args) => args.writes(),
            _ => false,
        }
    }

    /// What a user does about what is left after the second Ctrl-C.
    fn way_on(&self) -> Option<&'static str> {
        match self {
            Self::Deploy(_) | Self::Rollback(_) => {
                Some("The next `gantline deploy` goes on from what is left")
            }
            Self::Destroy(_) => Some("`gantline destroy` again removes what is left"),
            Self::Up(_) | Self::Restart(_) | Self::Demo(_) => {
                Some("`gantline down` stops what is left")
            }
            Self::Test(_) => Some("`gantline test` again removes what is left of its servers"),
            _ => None,
        }
    }

    /// Runs the command, until a second Ctrl-C ends it where it is.
    ///
    /// # Errors
    /// The command's.
    pub async fn run(self, app: &App) -> Result<()> {
        let way_on = self.way_on();
        tokio::select! {
            done = self.work(app) => done,
            () = interrupt::second() => {
                let error = Error::interrupted().since("what was under way was left as it was");
                Err(way_on.into_iter().fold(error, Error::hint))
            }
        }
    }

    async fn work(self, app: &App) -> Result<()> {
        let _alone = match self.changes_a_workspace() {
            true => change_alone(&app.settings().directory, &*app.events()).await?,
            false => None,
        };
        if self.reads_a_workspace() {
            complete_interrupted_above(&app.settings().directory, &*app.events())?;
        }
        match self {
            Self::Generate(args) => generate::run(args, app).await,
            Self::Upgrade(args) => upgrade::run(args, app).await,
            Self::New(args) => new::run(args, app).await,
            Self::Add(args) => add::run(args, app).await,
            Self::Schema(args) => schema::run(&args, app),
            Self::Test(args) => test::run(args, app).await,
            Self::Build(args) => build::run(args, app).await,
            Self::Blueprint(args) => blueprint::run(args, app),
            Self::Contract(args) => contract::run(args, app).await,
            Self::Completions(args) => completions::run(args, app),
            Self::Deploy(args) => deploy::run(args, app).await,
            Self::Diff(args) => diff::run(args, app).await,
            Self::Rollback(args) => rollback::run(args, app).await,
            Self::History(args) => history::run(args, app).await,
            Self::Destroy(args) => destroy::run(args, app).await,
            Self::Demo(args) => demo::run(args, app).await,
            Self::Doctor(args) => doctor::run(args, app).await,
            Self::Up(args) => up::run(args, app).await,
            Self::Down(args) => down::run(args, app).await,
            Self::Status(args) => status::run(args, app).await,
            Self::Logs(args) => logs::run(args, app).await,
            Self::Restart(args) => restart::run(args, app).await,
            Self::Env(args) => env::run(args, app).await,
            Self::Render(args) => render::run(args, app).await,
            Self::Supervise(args) => supervise::run(args).await,
            Self::Manual(args) => manual::run(args, app),
        }
    }
}
