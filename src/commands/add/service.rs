//! `gantline add service`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::actions::scaffold::container::{self, ContainerRequest, RequestedOrigin};
use crate::actions::scaffold::request::{self, ServiceRequest};
use crate::actions::scaffold::service::{self, Prepared};
use crate::app::App;
use crate::commands::agreement::still;
use crate::config::catalog;
use crate::config::project::{self, Selection};
use crate::error::{Error, Result};
use crate::model::container::ImageName;
use crate::model::name::Name;
use crate::model::project::{BlueprintReference, Project};

use super::answer::AddedService;
use super::questions::Questions;

/// What only a service made from a blueprint has.
const OF_BLUEPRINTS: [&str; 4] = ["blueprint", "options", "publishes", "consumes"];

/// Scaffold a service from a blueprint, or take in an image
///
/// The service builds, passes its tests and its linters at once. Resources that its options need
/// are added to gantline.yaml. At a terminal, what is not given is asked; elsewhere it is taken
/// by default, or the error names the flag. With --image or --build, the service is a vendor's
/// image or an existing Dockerfile: it gets a manifest and a chart.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name, such as `orders`
    name: Option<String>,
    /// What it is made from, such as `go-service`; `gantline blueprint list` shows all
    #[arg(long, value_name = "BLUEPRINT[@VERSION]")]
    blueprint: Option<String>,
    /// A vendor's image to run instead, such as `nginx:1.27`
    #[arg(long, value_name = "NAME:TAG", conflicts_with_all = OF_BLUEPRINTS, conflicts_with = "build")]
    image: Option<String>,
    /// The folder of an existing Dockerfile to run instead, whatever language it is for
    #[arg(long, value_name = "PATH", conflicts_with_all = OF_BLUEPRINTS)]
    build: Option<PathBuf>,
    /// Where that image listens
    #[arg(long = "port", value_name = "NAME=PORT", conflicts_with_all = OF_BLUEPRINTS)]
    ports: Vec<String>,
    /// What proves that the image serves: a path of its port `http`, or a port's name
    #[arg(long, value_name = "/PATH|PORT", conflicts_with_all = OF_BLUEPRINTS)]
    health: Option<String>,
    /// Choose an option; `gantline blueprint show BLUEPRINT` explains them
    #[arg(long = "with", value_name = "OPTION=VALUE")]
    options: Vec<String>,
    /// A service that it calls
    #[arg(long, value_name = "SERVICE")]
    needs: Vec<String>,
    /// An event that it publishes, such as `order-placed`
    #[arg(long, value_name = "EVENT")]
    publishes: Vec<String>,
    /// An event that it consumes, and the service that publishes it
    #[arg(long, value_name = "EVENT=SERVICE")]
    consumes: Vec<String>,
    /// An existing resource to use, instead of one of its own
    #[arg(long = "use", value_name = "ROLE=RESOURCE")]
    uses: Vec<String>,
    /// Who answers for it
    #[arg(long)]
    owner: Option<String>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Adds the service.
///
/// # Errors
/// When the request is wrong or incomplete, or its files cannot be written.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let settings = app.settings();
    let read = || project::load(&settings.directory, &Selection::All);
    let project = read()?;
    let questions = settings
        .interactive
        .then(|| Questions::new(&project, settings.color));
    let given = Given::parse(&args)?;
    let request = match origin(&args, app)? {
        Some(origin) => Request::Container(given.container(origin, &args, questions.as_ref())?),
        None => Request::Service(given.complete(&project, questions.as_ref())?),
    };
    // Others may have changed something since the questions were made.
    let prepare = || request.prepared(&read()?);
    let prepared = match &questions {
        Some(_) => prepare()?,
        None => request.prepared(&project)?,
    };
    let mut answer = AddedService::of(&prepared);
    if args.dry_run {
        answer.dry_run = true;
        return app.answer(&answer);
    }
    if let Some(questions) = questions.filter(Questions::were_asked) {
        questions.confirm(&answer.summary())?;
    }
    let _alone = still(app, &prepared, async || prepare()).await?;
    prepared.apply(&project).await?;
    app.answer(&answer)
}

/// What is asked for.
enum Request {
    Service(ServiceRequest),
    Container(ContainerRequest),
}

impl Request {
    fn prepared(&self, project: &Project) -> Result<Prepared> {
        match self {
            Self::Service(request) => service::prepare(project, request),
            Self::Container(request) => container::prepare(project, request),
        }
    }
}

/// What runs in a service that is made from no blueprint.
fn origin(args: &Args, app: &App) -> Result<Option<RequestedOrigin>> {
    if let Some(image) = &args.image {
        ImageName::parse(image).map_err(|cause| {
            Error::invalid(format!(
                "`--image {image}` names no image that stays the same"
            ))
            .because(cause)
            .hint("Write it as `--image nginx:1.27`")
        })?;
        return Ok(Some(RequestedOrigin::Image(image.clone())));
    }
    if let Some(folder) = &args.build {
        let folder = app.settings().directory.join(folder);
        let found = std::fs::canonicalize(&folder).map_err(|cause| {
            Error::invalid(format!("{} cannot be read", folder.display()))
                .because(cause)
                .hint("Name the folder of the Dockerfile: `--build PATH`")
        })?;
        return Ok(Some(RequestedOrigin::Build(found)));
    }
    match (args.ports.is_empty(), &args.health) {
        (true, None) => Ok(None),
        _ => Err(
            Error::invalid("`--port` and `--health` go with `--image` or `--build`")
                .hint("A blueprint brings its own; change them in service.yaml"),
        ),
    }
}

/// What the flags gave, checked one by one.
struct Given {
    name: Option<Name>,
    blueprint: Option<String>,
    owner: Option<String>,
    options: BTreeMap<String, String>,
    needs: Vec<Name>,
    publishes: Vec<Name>,
    consumes: BTreeMap<Name, Name>,
    uses: BTreeMap<String, Name>,
}

impl Given {
    fn parse(args: &Args) -> Result<Self> {
        let mut options = BTreeMap::new();
        for text in &args.options {
            let (option, value) = request::pair("--with", "OPTION=VALUE", text)?;
            let pair = (option.to_owned(), value.to_owned());
            request::insert_once("--with", &mut options, pair)?;
        }
        let mut consumes = BTreeMap::new();
        for text in &args.consumes {
            let (event, provider) = request::pair("--consumes", "EVENT=SERVICE", text)?;
            let event = request::name("--consumes", event)?;
            let pair = (event, request::name("--consumes", provider)?);
            request::insert_once("--consumes", &mut consumes, pair)?;
        }
        let mut uses = BTreeMap::new();
        for text in &args.uses {
            let (role, resource) = request::pair("--use", "ROLE=RESOURCE", text)?;
            let pair = (role.to_owned(), request::name("--use", resource)?);
            request::insert_once("--use", &mut uses, pair)?;
        }
        let name = args.name.as_deref();
        Ok(Self {
            name: name
                .map(|name| request::name("a service", name))
                .transpose()?,
            blueprint: args.blueprint.clone(),
            owner: args.owner.clone(),
            options,
            needs: names("--needs", &args.needs)?,
            publishes: names("--publishes", &args.publishes)?,
            consumes,
            uses,
        })
    }

    /// The request for a service without a blueprint.
    fn container(
        self,
        origin: RequestedOrigin,
        args: &Args,
        questions: Option<&Questions<'_>>,
    ) -> Result<ContainerRequest> {
        Ok(ContainerRequest {
            name: name_of(self.name, questions)?,
            owner: self.owner,
            origin,
            ports: request::ports(&args.ports)?,
            health: args.health.clone(),
            needs: self.needs,
            uses: self.uses,
        })
    }

    /// The request, with what is missing asked where there is somebody to ask.
    fn complete(
        self,
        project: &Project,
        questions: Option<&Questions<'_>>,
    ) -> Result<ServiceRequest> {
        let name = name_of(self.name, questions)?;
        let blueprint = match (self.blueprint, questions) {
            (Some(text), _) => reference(project, &text)?,
            (None, Some(questions)) => questions.blueprint()?,
            (None, None) => return Err(missing_blueprint(project)?),
        };
        let mut request = ServiceRequest {
            name,
            blueprint,
            owner: self.owner,
            options: self.options,
            needs: self.needs,
            publishes: self.publishes,
            consumes: self.consumes,
            uses: self.uses,
        };
        if let Some(questions) = questions {
            questions.rest(&mut request)?;
        }
        Ok(request)
    }
}

fn name_of(given: Option<Name>, questions: Option<&Questions<'_>>) -> Result<Name> {
    match (given, questions) {
        (Some(name), _) => Ok(name),
        (None, Some(questions)) => questions.name(),
        (None, None) => Err(Error::invalid("the service's name is missing")
            .hint("Write `gantline add service NAME --blueprint BLUEPRINT`")),
    }
}

fn names(flag: &str, texts: &[String]) -> Result<Vec<Name>> {
    let mut names = Vec::new();
    for text in texts {
        let name = request::name(flag, text)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The blueprint in the version that is asked for, else the workspace's, else the newest.
fn reference(project: &Project, text: &str) -> Result<BlueprintReference> {
    if text.split('@').next() == Some(catalog::CONTAINER) {
        return Err(Error::invalid(format!(
            "`--blueprint {text}` stands for an image that is not named"
        ))
        .hint("Write `--image NAME:TAG` or `--build PATH` instead"));
    }
    if let Some((name, version)) = text.split_once('@') {
        let version = version.parse().map_err(|error| {
            Error::invalid(format!("`{text}` names no version of a blueprint"))
                .because(error)
                .hint("Write `--blueprint NAME` or `--blueprint NAME@1`")
        })?;
        let name = request::name("--blueprint", name)?;
        return Ok(BlueprintReference { name, version });
    }
    catalog::newest_or_pinned(&project.root, text)
}

fn missing_blueprint(project: &Project) -> Result<Error> {
    let blueprints = catalog::blueprints(Some(&project.root))?;
    let names: Vec<String> = blueprints
        .iter()
        .filter(|blueprint| !blueprint.container)
        .filter_map(|blueprint| Some(blueprint.reference.as_ref()?.name.to_string()))
        .collect();
    Ok(Error::invalid("`--blueprint` is missing").hint(format!(
        "Add `--blueprint {}`",
        names.join("` or `--blueprint ")
    )))
}
