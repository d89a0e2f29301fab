//! What the flags left open, asked at a terminal.

use std::cell::Cell;

use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, FuzzySelect, Input, MultiSelect};

use crate::actions::scaffold::request::ServiceRequest;
use crate::commands::question;
use crate::config::{catalog, options};
use crate::error::{Error, Result};
use crate::model::blueprint::{Blueprint, Count, OptionDefinition, OptionValues};
use crate::model::name::Name;
use crate::model::project::{BlueprintReference, Project};
use crate::report::ColorChoice;

/// Somebody to ask.
pub struct Questions<'a> {
    project: &'a Project,
    theme: Box<dyn Theme>,
    paints: bool,
    asked: Cell<bool>,
}

impl<'a> Questions<'a> {
    /// Questions about a workspace.
    pub fn new(project: &'a Project, color: ColorChoice) -> Self {
        let paints = color.applies_to(true);
        let theme: Box<dyn Theme> = match paints {
            true => Box::new(ColorfulTheme::default()),
            false => Box::new(SimpleTheme),
        };
        Self {
            project,
            theme,
            paints,
            asked: Cell::new(false),
        }
    }

    /// Whether anything was asked; what comes from flags alone needs no confirmation.
    pub fn were_asked(&self) -> bool {
        self.asked.get()
    }

    /// The service's name.
    pub fn name(&self) -> Result<Name> {
        self.name_for("Name of the service")
    }

    /// One of the blueprints.
    pub fn blueprint(&self) -> Result<BlueprintReference> {
        let known: Vec<(BlueprintReference, String)> =
            catalog::blueprints(Some(&self.project.root))?
                .into_iter()
                .filter(|blueprint| !blueprint.container)
                .filter_map(|blueprint| Some((blueprint.reference?, blueprint.summary)))
                .collect();
        let items: Vec<String> = known
            .iter()
            .map(|(reference, summary)| format!("{:<12} {summary}", reference.name))
            .collect();
        let at = self.select("Blueprint", &items, 0)?;
        known
            .into_iter()
            .nth(at)
            .map(|(reference, _)| reference)
            .ok_or_else(|| Error::failed("there is no blueprint to choose from"))
    }

    /// Options and relations that the flags did not give.
    pub fn rest(&self, request: &mut ServiceRequest) -> Result<()> {
        let blueprint = catalog::blueprint(Some(&self.project.root), &request.blueprint)?;
        for option in &blueprint.options {
            if !request.options.contains_key(&option.name) {
                let value = self.option(option)?;
                request.options.insert(option.name.clone(), value);
            }
        }
        self.events(&blueprint, request)?;
        self.needs(&blueprint, request)
    }

    /// Whether to go on.
    pub fn confirm(&self, summary: &str) -> Result<()> {
        let prompt = format!("{summary}. Write them?");
        let confirm = Confirm::with_theme(&*self.theme)
            .with_prompt(prompt)
            .default(true);
        question::agreed(confirm)
    }

    /// One of these services.
    pub fn service(&self, prompt: &str, names: Vec<Name>) -> Result<Name> {
        let items: Vec<String> = names.iter().map(Name::to_string).collect();
        let chosen = names.into_iter().nth(self.select(prompt, &items, 0)?);
        chosen.ok_or_else(|| Error::failed("there is no service to choose from"))
    }

    fn option(&self, option: &OptionDefinition) -> Result<String> {
        let prompt = format!("{}: {}", option.name, option.summary);
        let OptionValues::Choices(choices) = &option.values else {
            return Ok(self.checked_name(&prompt, option)?.to_string());
        };
        if let [only] = choices.as_slice() {
            return Ok(only.name.clone());
        }
        let items: Vec<String> = choices
            .iter()
            .map(|choice| format!("{:<10} {}", choice.name, choice.summary))
            .collect();
        let default = choices
            .iter()
            .position(|choice| Some(&choice.name) == option.default.as_ref());
        let at = self.select(&prompt, &items, default.unwrap_or_default())?;
        let chosen = choices.get(at).map(|choice| choice.name.clone());
        chosen.ok_or_else(|| Error::failed("there is nothing to choose from"))
    }

    fn events(&self, blueprint: &Blueprint, request: &mut ServiceRequest) -> Result<()> {
        let relations = &blueprint.relations;
        if request.publishes.is_empty()
            && self.has_messaging(blueprint, request, &relations.publishes)
        {
            let event = self.optional_name("Event that it publishes (empty for none)")?;
            request.publishes.extend(event);
        }
        let consumable: Vec<(Name, Name)> = self
            .project
            .services
            .values()
            .flat_map(|service| {
                let events = service.publishes.iter();
                events.map(|event| (event.clone(), service.name.clone()))
            })
            .collect();
        let may_consume = relations.consumes.at_most != Some(0);
        if request.consumes.is_empty() && may_consume && !consumable.is_empty() {
            let items: Vec<String> = consumable
                .iter()
                .map(|(event, provider)| format!("{event} of {provider}"))
                .collect();
            for at in self.several("Events that it consumes (space chooses)", &items)? {
                request.consumes.extend(consumable.get(at).cloned());
            }
        }
        Ok(())
    }

    /// Whether a service with these options may publish.
    fn has_messaging(
        &self,
        blueprint: &Blueprint,
        request: &ServiceRequest,
        count: &Count,
    ) -> bool {
        let counts = options::RelationCounts {
            publishes: 1,
            consumes: request.consumes.len(),
            needs: request.needs.len(),
        };
        count.at_most != Some(0) && options::refusal(blueprint, &request.options, counts).is_none()
    }

    fn needs(&self, blueprint: &Blueprint, request: &mut ServiceRequest) -> Result<()> {
        let callable: Vec<&Name> = self
            .project
            .services
            .values()
            .filter(|service| service.ports.called().is_some())
            .map(|service| &service.name)
            .collect();
        let may_call = blueprint.relations.needs.at_most != Some(0);
        if !request.needs.is_empty() || !may_call || callable.is_empty() {
            return Ok(());
        }
        let chosen = self.several("Services that it calls (space chooses)", &callable)?;
        let names = chosen.into_iter().filter_map(|at| callable.get(at));
        request.needs.extend(names.map(|name| (*name).clone()));
        Ok(())
    }

    fn name_for(&self, prompt: &str) -> Result<Name> {
        let text = self.input(prompt, |text| match Name::new(text) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        })?;
        Name::new(text).map_err(|error| Error::invalid(error.to_string()))
    }

    fn optional_name(&self, prompt: &str) -> Result<Option<Name>> {
        let text = self.input(prompt, |text| match Name::new(text) {
            Err(error) if !text.is_empty() => Err(error.to_string()),
            _ => Ok(()),
        })?;
        Ok(Name::new(text).ok())
    }

    fn checked_name(&self, prompt: &str, option: &OptionDefinition) -> Result<Name> {
        let text = self.input(prompt, |text| {
            options::check_value(option, text).map_err(|error| error.to_string())
        })?;
        Name::new(text).map_err(|error| Error::invalid(error.to_string()))
    }

    fn input(&self, prompt: &str, check: impl Fn(&str) -> Result<(), String>) -> Result<String> {
        self.asked.set(true);
        let input = Input::<String>::with_theme(&*self.theme)
            .with_prompt(prompt)
            .allow_empty(true)
            .validate_with(|text: &String| check(text));
        question::answered(|| input.interact_text().map(Some))
    }

    fn select(&self, prompt: &str, items: &[String], default: usize) -> Result<usize> {
        self.asked.set(true);
        let select = FuzzySelect::with_theme(&*self.theme)
            .with_prompt(prompt)
            .items(items)
            .highlight_matches(self.paints)
            .default(default);
        question::answered(|| select.interact_opt())
    }

    fn several<T: std::fmt::Display>(&self, prompt: &str, items: &[T]) -> Result<Vec<usize>> {
        self.asked.set(true);
        let select = MultiSelect::with_theme(&*self.theme)
            .with_prompt(prompt)
            .items(items);
        question::answered(|| select.interact_opt())
    }
}
