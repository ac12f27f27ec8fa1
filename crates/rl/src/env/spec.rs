//! The description of a task: names and sizes, without behaviour.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Actions;

/// The description of a task. A checkpoint holds it, so that an agent can be loaded without its task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The name of the task, also on the command line.
    pub name: String,
    /// The space of observations.
    pub observation: Space,
    /// The space of actions.
    pub action: ActionSpace,
    /// The maximum number of actions in an episode, at least 1. An environment must end its episodes by then. If it does not,
    /// [`Episodes`](super::Episodes) truncates them, and [`check`](super::check) reports it.
    pub horizon: usize,
    /// The number of stages, at least 1. Stages are problems of one task that a curriculum can order.
    pub stages: usize,
    /// True if the network is not told the stage: observations alone tell the problem.
    pub hides_stage: bool,
    /// True if episodes can be solved. Tables then show the share of solved episodes, and a run ends when all are.
    pub has_success: bool,
    /// A warning for everyone who reads results of this task, or an empty text.
    pub caveat: String,
}

/// The space of observations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Space {
    /// One or several tokens.
    Tokens {
        /// The name of each token; there are V.
        names: Vec<String>,
    },
    /// A vector of numbers.
    Vector {
        /// D, the numbers in the vector.
        size: usize,
    },
}

impl Space {
    /// Creates the space of these tokens.
    pub fn tokens<N: ToString>(names: impl IntoIterator<Item = N>) -> Self {
        Self::Tokens { names: names.into_iter().map(|name| name.to_string()).collect() }
    }

    /// Creates the space of vectors of `size` numbers.
    pub fn vector(size: usize) -> Self {
        Self::Vector { size }
    }

    /// D, or 0 if observations are tokens.
    pub(crate) fn vector_size(&self) -> usize {
        match self {
            Self::Tokens { .. } => 0,
            &Self::Vector { size } => size,
        }
    }

    /// V or D, the number of tokens or of numbers in the vector.
    pub fn size(&self) -> usize {
        match self {
            Self::Tokens { names } => names.len(),
            &Self::Vector { size } => size,
        }
    }
}

/// The space of actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionSpace {
    /// One of several actions.
    Discrete {
        /// The name of each action; there are A.
        names: Vec<String>,
    },
    /// A vector of numbers. A policy draws them from a normal distribution, so an environment clips them if it must.
    Continuous {
        /// D, the numbers in the vector.
        size: usize,
    },
}

impl ActionSpace {
    /// Creates the space of these actions.
    pub fn discrete<N: ToString>(names: impl IntoIterator<Item = N>) -> Self {
        Self::Discrete { names: names.into_iter().map(|name| name.to_string()).collect() }
    }

    /// Creates the space of vectors of `size` numbers.
    pub fn continuous(size: usize) -> Self {
        Self::Continuous { size }
    }

    /// Returns true if all of these are actions of this space, with finite numbers.
    pub(crate) fn accepts(&self, actions: &Actions) -> bool {
        match (self, actions) {
            (Self::Discrete { names }, Actions::Discrete(actions)) => {
                actions.iter().all(|&action| (action as usize) < names.len())
            }
            (Self::Continuous { size: expected }, Actions::Continuous { size, values }) => {
                size == expected && values.len() % size == 0 && values.iter().all(|x| x.is_finite())
            }
            _ => false,
        }
    }

    /// A or D, the number of actions or of numbers in an action.
    pub fn size(&self) -> usize {
        match self {
            Self::Discrete { names } => names.len(),
            &Self::Continuous { size } => size,
        }
    }
}

impl Spec {
    /// Describes a task of one stage without success.
    ///
    /// # Panics
    /// If the name is empty, or if there are no tokens, numbers, actions or steps.
    #[track_caller]
    pub fn new(name: impl ToString, observation: Space, action: ActionSpace, horizon: usize) -> Self {
        let (name, caveat) = (name.to_string(), String::new());
        let spec =
            Self { name, observation, action, horizon, stages: 1, hides_stage: false, has_success: false, caveat };
        spec.assert_valid();
        spec
    }

    /// Sets the number of stages.
    ///
    /// # Panics
    /// If there are none, or more than 256, for which there are no random streams.
    #[track_caller]
    pub fn with_stages(self, stages: usize) -> Self {
        let spec = Self { stages, ..self };
        spec.assert_valid();
        spec
    }

    /// Hides the stage from the network, which then has to read its problem. A model of one's own must not use the stage then.
    pub fn with_hidden_stage(self) -> Self {
        Self { hides_stage: true, ..self }
    }

    /// Marks the task as one whose episodes can be solved.
    pub fn with_success(self) -> Self {
        Self { has_success: true, ..self }
    }

    /// Sets the warning for readers of results.
    pub fn with_caveat(self, caveat: impl ToString) -> Self {
        Self { caveat: caveat.to_string(), ..self }
    }

    /// Returns true if the network is told one of several stages.
    pub(crate) fn has_stages_to_tell(&self) -> bool {
        self.stages > 1 && !self.hides_stage
    }

    /// Checks names and sizes.
    #[track_caller]
    pub(crate) fn assert_valid(&self) {
        if let Err(fault) = self.check() {
            panic!("Spec: {fault}")
        }
    }

    /// Checks names and sizes.
    ///
    /// # Errors
    /// If the name is empty, a name has a line break, or there are no tokens, numbers, actions, steps or stages.
    pub fn check(&self) -> Result<(), String> {
        let Self { name, observation, action, horizon, stages, .. } = self;
        let names = |names: &[String]| names.iter().any(|name| name.contains('\n'));
        let has_line_break = name.contains('\n')
            || matches!(observation, Space::Tokens { names: tokens } if names(tokens))
            || matches!(action, ActionSpace::Discrete { names: actions } if names(actions));
        let sized = |what: &str, size: usize, limit: usize| match size {
            0 => Err(format!("{what} of {name} is 0, expected at least 1")),
            size if size > limit => Err(format!("{what} of {name} is {size}, expected at most {limit}")),
            _ => Ok(()),
        };
        if name.is_empty() || has_line_break {
            return Err(format!("the names of task {name:?}, its tokens and its actions must be lines of text"));
        }
        sized("the size of observations", observation.size(), 1 << 24)?;
        sized("the number of actions", action.size(), 1 << 24)?;
        sized("the horizon", *horizon, 1_000_000_000)?;
        sized("the number of stages", *stages, 256)
    }

    /// The name of a discrete action, or its number if the actions are continuous.
    ///
    /// # Panics
    /// If there is no such action.
    #[track_caller]
    pub fn action_name(&self, action: u32) -> &str {
        let ActionSpace::Discrete { names } = &self.action else {
            panic!("action_name: the actions of {} are numbers", self.name)
        };
        let found = names.get(action as usize);
        found.unwrap_or_else(|| panic!("action {action}, but {} has {} actions", self.name, names.len()))
    }

    /// The name of a token.
    ///
    /// # Panics
    /// If there is no such token.
    #[track_caller]
    pub fn token_name(&self, token: u32) -> &str {
        let Space::Tokens { names } = &self.observation else {
            panic!("token_name: the observations of {} are numbers", self.name)
        };
        let found = names.get(token as usize);
        found.unwrap_or_else(|| panic!("token {token}, but {} has {} tokens", self.name, names.len()))
    }

    /// The token of this name, if there is one.
    pub fn token(&self, name: &str) -> Option<u32> {
        match &self.observation {
            Space::Tokens { names } => names.iter().position(|known| known == name).map(|token| token as u32),
            Space::Vector { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        Spec::new("task", Space::tokens(["0", "1"]), ActionSpace::discrete(["UP", "DOWN"]), 4)
    }

    #[test]
    fn accepts_only_whole_actions_of_the_same_kind_and_size() {
        let (letters, numbers) = (ActionSpace::discrete(["A", "B"]), ActionSpace::continuous(2));
        let continuous = |size, values: &[f64]| Actions::Continuous { size, values: values.to_vec() };
        let discrete = |actions: &[u32]| Actions::Discrete(actions.to_vec());
        assert!(letters.accepts(&discrete(&[0, 1, 1])) && numbers.accepts(&continuous(2, &[0.5, 1.0])));
        for (space, actions) in [
            (&letters, discrete(&[0, 2])),
            (&letters, continuous(2, &[])),
            (&numbers, discrete(&[])),
            (&numbers, continuous(0, &[])),
            (&numbers, continuous(1, &[0.5])),
            (&numbers, continuous(2, &[0.5, 1.0, 2.0])),
            (&numbers, continuous(2, &[0.5, f64::NAN])),
        ] {
            assert!(!space.accepts(&actions), "{space:?} {actions:?}");
        }
    }

    #[test]
    fn spec_new_has_one_stage_and_no_success() {
        let spec = spec();
        assert_eq!((spec.stages, spec.has_success, &spec.caveat[..]), (1, false, ""));
        let spec = spec.with_stages(3).with_success().with_caveat("Mind it.");
        assert_eq!((spec.stages, spec.has_success, &spec.caveat[..]), (3, true, "Mind it."));
        assert_eq!(
            (spec.action_name(1), spec.token_name(0), spec.token("1"), spec.token("2")),
            ("DOWN", "0", Some(1), None)
        );
        assert_eq!((spec.observation.size(), spec.action.size()), (2, 2));
        assert_eq!((Space::vector(3).size(), ActionSpace::continuous(5).size()), (3, 5));
    }

    #[test]
    fn spec_check_says_which_size_or_name_is_not_valid() {
        let nothing: [&str; 0] = [];
        for (spec, want) in [
            (Spec { horizon: 0, ..spec() }, "the horizon of task is 0, expected at least 1"),
            (Spec { stages: 257, ..spec() }, "the number of stages of task is 257, expected at most 256"),
            (
                Spec { action: ActionSpace::discrete(nothing), ..spec() },
                "the number of actions of task is 0, expected at least 1",
            ),
            (
                Spec { observation: Space::vector(0), ..spec() },
                "the size of observations of task is 0, expected at least 1",
            ),
            (
                Spec { observation: Space::tokens(["a\nb"]), ..spec() },
                "the names of task \"task\", its tokens and its actions must be lines of text",
            ),
        ] {
            assert_eq!(spec.check(), Err(String::from(want)));
        }
        assert_eq!(spec().check(), Ok(()));
    }

    #[test]
    #[should_panic(expected = "Spec: the horizon of task is 0, expected at least 1")]
    fn spec_new_horizon_0_panics() {
        Spec::new("task", Space::vector(1), ActionSpace::discrete(["A"]), 0);
    }

    #[test]
    #[should_panic(expected = "action 2, but task has 2 actions")]
    fn spec_action_name_out_of_range_panics() {
        spec().action_name(2);
    }
}
