//! The tasks of a command: those that a program passes to [`main`](crate::main), `expression` and its tiers, `calculator`,
//! `calculator-stages`, and the known problems.

use std::fmt;
use std::sync::Arc;

use gpu_train::GpuTrainError;
use rl::config::Config;
use rl::env::{Spec, Task};
use rl::settings::Field;
use rl::tasks::{
    Calculator, Expression, ExpressionMemory, ExpressionRead, ExpressionTools, calculator, calculator_stages,
    expression, expression_memory, expression_read, expression_tools,
};
use rl::train::check_settings;
use tensor::Device;

use crate::error::{Error, Result, program, suggest_name};
use crate::input::device_name::DeviceName;
use crate::run::Run;

/// Message for users who pass the tutorial as a task.
const TUTORIAL_MOVED: &str = "tutorial is no longer a task; use the command gradus tutorial; earlier runs keep their files, with \
     the page in report.html and the results in test.json";

/// A task, which its settings make complete.
#[derive(Clone, Copy)]
pub(crate) enum TaskChoice {
    /// `expression`, whose list of contexts is made when it is created.
    Expression,
    /// `expression-tools`, which has a setting of its own.
    ExpressionTools,
    /// `expression-memory`, whose list of contexts is made when it is created.
    ExpressionMemory,
    /// `expression-read`.
    ExpressionRead,
    /// `calculator`, whose states are explored when it is created.
    Calculator,
    /// `calculator-stages`, which has settings of its own.
    CalculatorStages,
    /// A task without settings of its own: a known problem, or a task of the program.
    Fixed(&'static dyn Task),
}

impl TaskChoice {
    /// The name of the task.
    pub(crate) fn name(self) -> String {
        self.spec(&Config::default()).name
    }

    /// The settings that suit the task.
    pub(crate) fn default_config(self) -> Config {
        match self {
            Self::Calculator => calculator::default_config(),
            Self::CalculatorStages => Config::default(),
            Self::Expression => expression::default_config(),
            Self::ExpressionTools => expression_tools::default_config(),
            Self::ExpressionMemory => expression_memory::default_config(),
            Self::ExpressionRead => expression_read::default_config(),
            Self::Fixed(task) => task.default_config(),
        }
    }

    /// Checks that the task can be trained with these settings.
    ///
    /// # Errors
    /// If two settings, or a setting and the task, exclude each other.
    pub(crate) fn check_settings(self, config: &Config) -> Result<()> {
        check_settings(config, &self.spec(config), || self.create(config).hindsight().is_some()).map_err(Error::input)
    }

    /// Describes the task with these settings.
    pub(crate) fn spec(self, config: &Config) -> Spec {
        match self {
            Self::Calculator => calculator::spec(),
            Self::CalculatorStages => calculator_stages::spec(config.action_set()),
            Self::Expression => expression::spec(),
            Self::ExpressionTools => expression_tools::spec(),
            Self::ExpressionMemory => expression_memory::spec(),
            Self::ExpressionRead => expression_read::spec(),
            Self::Fixed(task) => task.spec(),
        }
    }

    /// Creates the task with these settings.
    pub(crate) fn create(self, config: &Config) -> Arc<dyn Task> {
        match self {
            Self::Calculator => Arc::new(Calculator::default()),
            Self::ExpressionRead => Arc::new(ExpressionRead::default()),
            Self::CalculatorStages => Arc::new(config.calculator_stages()),
            Self::Expression => Arc::new(Expression::default().with_rewards(config.rewards())),
            Self::ExpressionTools => Arc::new(ExpressionTools::new(config.call_failures)),
            Self::ExpressionMemory => Arc::new(ExpressionMemory::default()),
            Self::Fixed(task) => Arc::new(task),
        }
    }

    /// Creates a run before its first update.
    ///
    /// # Errors
    /// If the settings do not fit the task, or the device does not support them.
    pub(crate) fn create_run(self, config: &Config, seed: u64, device: Device) -> Result<Run> {
        self.check_settings(config)?;
        let run = match self {
            Self::CalculatorStages => {
                let task = config.calculator_stages();
                gpu_train::run(Arc::new(task.clone()) as Arc<dyn Task>, Some(&task), config, seed, device)
            }
            _ => gpu_train::run(self.create(config), None, config, seed, device),
        };
        run.map_err(|refused| Error::input(format!("--device {device}: {refused}")))
    }

    /// Checks that the device can train the task, before the device is opened.
    ///
    /// # Errors
    /// If only the CPU can.
    pub(crate) fn check_device(self, device: DeviceName) -> Result<()> {
        match (self, device) {
            (Self::CalculatorStages, _) | (_, DeviceName::Cpu) => Ok(()),
            _ => {
                let refused = GpuTrainError::Task { name: self.name() };
                Err(Error::input(format!("--device {device}: {refused}")))
            }
        }
    }

    /// Checks that the task has this setting: some belong to one task.
    ///
    /// # Errors
    /// If the setting belongs to another task.
    pub(crate) fn check_setting(self, field: &Field) -> std::result::Result<(), String> {
        let name = self.name();
        let Some(others) = field.tasks().filter(|_| !field.is_of(&name)) else { return Ok(()) };
        let renamed = match self {
            Self::Calculator => "; the calculator of earlier versions is calculator-stages",
            _ => "",
        };
        let tasks = if others.contains(" and ") { "tasks" } else { "task" };
        Err(format!("{} is a setting of the {tasks} {others}, but the task is {name}{renamed}", field.name))
    }
}

impl fmt::Debug for TaskChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// The tasks by name. The first is the default.
#[derive(Clone, Debug)]
pub(crate) struct Tasks(Vec<(String, TaskChoice)>);

impl Tasks {
    /// Collects the tasks of a program and those of `gradus`.
    ///
    /// # Errors
    /// If a task is not valid, or its name is taken or cannot be the name of a folder.
    pub(crate) fn new(own: &[&'static dyn Task]) -> Result<Self> {
        let built_in = Self::built_in();
        let mut tasks = Vec::new();
        for &task in own {
            let spec = task.spec();
            spec.check().map_err(|fault| Error::input(format!("a task of this program is not valid: {fault}")))?;
            let name = spec.name;
            let is_plain = name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
            if !is_plain || name.starts_with(['-', '.']) {
                return Err(Error::input(format!(
                    "the task name {name:?} cannot be part of a folder's name; use letters, digits, - and _"
                )));
            }
            let is_among = |tasks: &[(String, TaskChoice)]| tasks.iter().any(|(other, _)| *other == name);
            if is_among(&built_in.0) || name == "tutorial" {
                return Err(Error::input(format!(
                    "the task name {name} is taken by gradus; give the task another name"
                )));
            }
            if is_among(&tasks) {
                return Err(Error::input(format!("two tasks have the name {name}; give one of them another name")));
            }
            tasks.push((name, TaskChoice::Fixed(task)));
        }
        tasks.extend(built_in.0);
        Ok(Self(tasks))
    }

    /// The tasks of `gradus` itself.
    pub(crate) fn built_in() -> Self {
        let known = known::tasks().iter().map(|&task| TaskChoice::Fixed(task));
        let ours = [
            TaskChoice::Expression,
            TaskChoice::ExpressionTools,
            TaskChoice::ExpressionMemory,
            TaskChoice::ExpressionRead,
            TaskChoice::Calculator,
            TaskChoice::CalculatorStages,
        ];
        Self(ours.into_iter().chain(known).map(|task| (task.name(), task)).collect())
    }

    /// All tasks.
    pub(crate) fn iter(&self) -> impl Iterator<Item = TaskChoice> {
        self.0.iter().map(|&(_, task)| task)
    }

    /// The names of all tasks.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The task if none is named: the first of the program, or `expression`.
    pub(crate) fn default_task(&self) -> TaskChoice {
        self.0[0].1
    }

    /// The task that `--task` names, or the default.
    ///
    /// # Errors
    /// If no task has this name.
    pub(crate) fn choose(&self, name: Option<&str>) -> Result<TaskChoice> {
        let found = name.map_or(Ok(self.default_task()), |name| self.find(name));
        found.map_err(|error| Error::input(format!("--task: {error}")))
    }

    /// The task of this name.
    ///
    /// # Errors
    /// If no task has this name.
    pub(crate) fn find(&self, name: &str) -> std::result::Result<TaskChoice, String> {
        if let Some((_, task)) = self.0.iter().find(|(other, _)| other == name) {
            return Ok(*task);
        }
        if name == "tutorial" {
            return Err(TUTORIAL_MOVED.into());
        }
        let advice = match suggest_name(name, self.names()) {
            similar if similar.is_empty() => "; a task of your own needs the program that has it".to_owned(),
            similar => similar,
        };
        Err(format!("there is no task {name}; `{} tasks` lists the tasks{advice}", program()))
    }
}

/// The goal of a stage, in the words of the task's solver, or its label; empty without them.
pub(crate) fn goal(task: &dyn Task, stage: usize) -> String {
    task.solver().map_or_else(|| task.label(stage), |solver| solver.goal(stage))
}

/// The mean number of steps of a shortest program of a stage; `None` if neither the task nor its solver knows it.
pub(crate) fn optimum(task: &dyn Task, stage: usize) -> Option<f64> {
    task.optimum(stage).or_else(|| task.solver()?.report(stage).optimum.map(|steps| steps as f64))
}
