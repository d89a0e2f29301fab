//! The commands, one file each: flags, help and a function that calls one action.

mod add;
mod agreement;
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
pub(crate) mod meant;
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

/// Everything gantline can be asked to do, in the order in which help lists it. What each command
/// says of itself stands in its file: a comment here would hide it.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Demo(demo::Args),
    New(new::Args),
    Add(add::Args),
    Generate(generate::Args),
    Up(up::Args),
    Status(status::Args),
    Logs(logs::Args),
    Restart(restart::Args),
    Down(down::Args),
    Env(env::Args),
    Test(test::Args),
    Contract(contract::Args),
    Build(build::Args),
    Render(render::Args),
    Deploy(deploy::Args),
    Diff(diff::Args),
    Rollback(rollback::Args),
    History(history::Args),
    Destroy(destroy::Args),
    Upgrade(upgrade::Args),
    Blueprint(blueprint::Args),
    Schema(schema::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    #[command(hide = true)]
    Supervise(supervise::Args),
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

    /// Whether it may ask before it changes a workspace.
    fn may_ask(&self) -> bool {
        match self {
            Self::Upgrade(_) => true,
            Self::Add(args) => args.may_ask(),
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
                Err(error.with_hints(way_on))
            }
        }
    }

    async fn work(self, app: &App) -> Result<()> {
        // Who may be asked keeps others out later: see `agreement`.
        let asks = self.may_ask() && app.settings().interactive;
        let _alone = match self.changes_a_workspace() && !asks {
            true => change_alone(&app.settings().directory, &*app.events()).await?,
            false => None,
        };
        if self.reads_a_workspace() {
            complete_interrupted_above(&app.settings().directory, &*app.events())?;
        }
        match self {
            Self::Demo(args) => demo::run(args, app).await,
            Self::New(args) => new::run(args, app).await,
            Self::Add(args) => add::run(args, app).await,
            Self::Generate(args) => generate::run(args, app).await,
            Self::Up(args) => up::run(args, app).await,
            Self::Status(args) => status::run(args, app).await,
            Self::Logs(args) => logs::run(args, app).await,
            Self::Restart(args) => restart::run(args, app).await,
            Self::Down(args) => down::run(args, app).await,
            Self::Env(args) => env::run(args, app).await,
            Self::Test(args) => test::run(args, app).await,
            Self::Contract(args) => contract::run(args, app).await,
            Self::Build(args) => build::run(args, app).await,
            Self::Render(args) => render::run(args, app).await,
            Self::Deploy(args) => deploy::run(args, app).await,
            Self::Diff(args) => diff::run(args, app).await,
            Self::Rollback(args) => rollback::run(args, app).await,
            Self::History(args) => history::run(args, app).await,
            Self::Destroy(args) => destroy::run(args, app).await,
            Self::Upgrade(args) => upgrade::run(args, app).await,
            Self::Blueprint(args) => blueprint::run(args, app),
            Self::Schema(args) => schema::run(&args, app),
            Self::Doctor(args) => doctor::run(args, app).await,
            Self::Completions(args) => completions::run(args, app),
            Self::Supervise(args) => supervise::run(args).await,
            Self::Manual(args) => manual::run(args, app),
        }
    }
}
