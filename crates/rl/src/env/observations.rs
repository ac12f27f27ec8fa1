//! The observations of B episodes, as environments write them.

use alloc::vec;
use alloc::vec::Vec;

use tensor::philox::Philox;

use super::episodes::Fault;
use super::spec::{ActionSpace, Space, Spec};
use super::{Action, Actions};

/// The observations of B episodes, and the legal actions of each. A method that gets an unsuitable observation does not panic:
/// it records the fault, and [`Episodes`](super::Episodes) reports it with task, episode and step.
#[derive(Clone, Debug)]
pub struct Observations {
    space: Kind,
    /// A, or 0 if the actions are continuous.
    actions: usize,
    /// The tokens of each episode, \[B\]\[K\]. K may differ between episodes.
    tokens: Vec<Vec<u32>>,
    /// The vectors, \[B,D\].
    values: Vec<f64>,
    /// True for each legal action, \[B,A\].
    legal: Vec<bool>,
    /// True if the observation of an episode was written, or its first fault, \[B\].
    written: Vec<Result<bool, Fault>>,
    /// The first fault of each episode's legal actions, \[B\].
    legal_faults: Vec<Option<Fault>>,
}

/// The kind of observations, with V or D.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Tokens(usize),
    Vector(usize),
}

/// Returns true if a number is finite in `f32`, too. A larger one would make the statistics of normalisation infinite.
pub(super) fn is_finite(x: f64) -> bool {
    (x as f32).is_finite()
}

impl Observations {
    /// Creates room for the observations of `episodes` episodes of a task. All actions are legal.
    pub fn new(spec: &Spec, episodes: usize) -> Self {
        let space = match &spec.observation {
            Space::Tokens { names } => Kind::Tokens(names.len()),
            &Space::Vector { size } => Kind::Vector(size),
        };
        let actions = match &spec.action {
            ActionSpace::Discrete { names } => names.len(),
            ActionSpace::Continuous { .. } => 0,
        };
        Self {
            space,
            actions,
            tokens: vec![Vec::new(); episodes],
            values: match space {
                Kind::Vector(size) => vec![0.0; episodes * size],
                Kind::Tokens(_) => Vec::new(),
            },
            legal: vec![true; episodes * actions],
            written: vec![Ok(false); episodes],
            legal_faults: vec![None; episodes],
        }
    }

    /// Writes an observation of one or several tokens.
    pub fn set_tokens(&mut self, episode: usize, tokens: &[u32]) {
        let fault = match self.space {
            Kind::Vector(size) => Some(Fault::TokensForVector { size }),
            Kind::Tokens(vocabulary) => {
                let token = tokens.iter().find(|&&token| token as usize >= vocabulary);
                token.map(|&token| Fault::Token { token, vocabulary })
            }
        };
        self.tokens[episode].clear();
        if fault.is_none() {
            self.tokens[episode].extend_from_slice(tokens);
        }
        self.record(episode, fault, !tokens.is_empty());
    }

    /// Writes an observation that is a vector.
    pub fn set_vector(&mut self, episode: usize, values: &[f64]) {
        let fault = match self.space {
            Kind::Tokens(_) => Some(Fault::VectorForTokens),
            Kind::Vector(size) if size != values.len() => {
                Some(Fault::VectorSize { found: values.len(), expected: size })
            }
            Kind::Vector(size) => {
                self.values[episode * size..][..size].copy_from_slice(values);
                let index = values.iter().position(|&x| !is_finite(x));
                index.map(|index| Fault::Number { index, value: values[index] })
            }
        };
        self.record(episode, fault, true);
    }

    /// Sets which of the A actions are legal after this observation. Without a call, all are.
    pub fn set_legal(&mut self, episode: usize, legal: &[bool]) {
        let fault = if legal.len() != self.actions {
            Some(Fault::LegalSize { found: legal.len(), expected: self.actions })
        } else {
            self.legal[episode * self.actions..][..self.actions].copy_from_slice(legal);
            (!legal.contains(&true)).then_some(Fault::NothingLegal)
        };
        self.legal_faults[episode] = self.legal_faults[episode].or(fault);
    }

    /// Records the first fault of an observation, or that it was written.
    fn record(&mut self, episode: usize, fault: Option<Fault>, is_written: bool) {
        let written = &mut self.written[episode];
        match fault {
            Some(fault) if written.is_ok() => *written = Err(fault),
            _ => *written = written.map(|already| already || is_written),
        }
    }

    /// B, the number of episodes.
    pub fn len(&self) -> usize {
        self.written.len()
    }

    /// Returns true if there are no episodes.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// The tokens of the observation of `episode`; empty if observations are vectors.
    pub fn tokens(&self, episode: usize) -> &[u32] {
        &self.tokens[episode]
    }

    /// The vector that is the observation of `episode`; empty if observations are tokens.
    pub fn vector(&self, episode: usize) -> &[f64] {
        match self.space {
            Kind::Vector(size) => &self.values[episode * size..][..size],
            Kind::Tokens(_) => &[],
        }
    }

    /// True for each legal action of `episode`; empty if the actions are continuous.
    pub fn legal(&self, episode: usize) -> &[bool] {
        &self.legal[episode * self.actions..][..self.actions]
    }

    /// Draws the action of `episode`, uniformly from the legal ones. A vector has normal numbers.
    pub(crate) fn draw_action(&self, episode: usize, rng: &mut Philox, out: &mut Actions) {
        if let &mut Actions::Continuous { size, .. } = out {
            let values: Vec<f64> = (0..size).map(|_| rng.normal()).collect();
            return out.set(episode, Action::Continuous(&values));
        }
        let legal: Vec<u32> = (0..).zip(self.legal(episode)).filter(|(_, legal)| **legal).map(|(a, _)| a).collect();
        out.set(episode, Action::Discrete(legal[rng.below(legal.len() as u32) as usize]));
    }

    /// Exchanges the tokens or vectors of the episodes: each gets those of its neighbour, and the last those of the first.
    pub(crate) fn rotate(&mut self) {
        self.tokens.rotate_left(1);
        if let Kind::Vector(size) = self.space {
            self.values.rotate_left(size);
        }
    }

    /// Clears the observation of `episode`. All actions are legal.
    pub(crate) fn clear(&mut self, episode: usize) {
        self.tokens[episode].clear();
        self.legal[episode * self.actions..][..self.actions].fill(true);
        (self.written[episode], self.legal_faults[episode]) = (Ok(false), None);
    }

    /// The faults of the observation that was written for `episode`: of what it shows, and of the legal actions.
    pub(crate) fn faults(&self, episode: usize) -> impl Iterator<Item = Fault> {
        let shown = match self.written[episode] {
            Ok(is_written) => (!is_written).then_some(Fault::NoObservation),
            Err(fault) => Some(fault),
        };
        shown.into_iter().chain(self.legal_faults[episode])
    }

    /// Returns the first of the faults as an error.
    pub(crate) fn check(&self, episode: usize) -> Result<(), Fault> {
        self.faults(episode).next().map_or(Ok(()), Err)
    }
}

/// The observation of one episode, for [`SingleEnv::observe`](super::SingleEnv::observe) to write.
pub struct Observer<'a> {
    pub(super) observations: &'a mut Observations,
    pub(super) episode: usize,
}

impl Observer<'_> {
    /// Writes an observation of one token.
    pub fn token(&mut self, token: u32) {
        self.tokens(&[token]);
    }

    /// Writes an observation of one or several tokens.
    pub fn tokens(&mut self, tokens: &[u32]) {
        self.observations.set_tokens(self.episode, tokens);
    }

    /// Writes an observation that is a vector.
    pub fn vector(&mut self, values: &[f64]) {
        self.observations.set_vector(self.episode, values);
    }

    /// Sets which of the A actions are legal after this observation. Without a call, all are.
    pub fn legal(&mut self, legal: &[bool]) {
        self.observations.set_legal(self.episode, legal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observations(space: Space) -> Observations {
        Observations::new(&Spec::new("test", space, ActionSpace::discrete(["A", "B"]), 1), 2)
    }

    #[test]
    fn observations_of_different_lengths_are_read_back_and_cleared() {
        let mut out = observations(Space::tokens(["0", "1", "2"]));
        out.set_tokens(0, &[2, 1]);
        Observer { observations: &mut out, episode: 1 }.token(1);
        out.set_legal(1, &[false, true]);
        assert_eq!([out.tokens(0), out.tokens(1)], [&[2, 1][..], &[1]]);
        assert_eq!([out.legal(0), out.legal(1)], [[true, true], [false, true]]);
        assert_eq!([out.check(0), out.check(1)], [Ok(()); 2]);
        out.clear(1);
        assert_eq!((out.tokens(0), out.tokens(1), out.legal(1)), (&[2, 1][..], &[][..], &[true, true][..]));
        assert_eq!([out.check(0), out.check(1)], [Ok(()), Err(Fault::NoObservation)]);
    }

    #[test]
    fn observations_that_the_spec_excludes_are_faults() {
        let check = |space, write: &dyn Fn(&mut Observations)| {
            let mut out = observations(space);
            write(&mut out);
            out.check(0)
        };
        let tokens = || Space::tokens(["0", "1"]);
        let check_tokens = |write: &dyn Fn(&mut Observations)| check(tokens(), write);
        let check_vector = |write: &dyn Fn(&mut Observations)| check(Space::vector(2), write);
        assert_eq!(check_tokens(&|out| out.set_tokens(0, &[1, 2])), Err(Fault::Token { token: 2, vocabulary: 2 }));
        assert_eq!(check_tokens(&|out| out.set_tokens(0, &[])), Err(Fault::NoObservation));
        assert_eq!(check_tokens(&|out| out.set_vector(0, &[1.0])), Err(Fault::VectorForTokens));
        assert_eq!(check_vector(&|out| out.set_tokens(0, &[1])), Err(Fault::TokensForVector { size: 2 }));
        let size = Fault::VectorSize { found: 3, expected: 2 };
        assert_eq!(check_vector(&|out| out.set_vector(0, &[0.0; 3])), Err(size));
        let number = Fault::Number { index: 1, value: f64::INFINITY };
        assert_eq!(check_vector(&|out| out.set_vector(0, &[0.0, f64::INFINITY])), Err(number));
        let legal = |legal: &'static [bool]| {
            check_vector(&|out| {
                out.set_legal(0, legal);
                out.set_vector(0, &[0.0; 2]);
            })
        };
        assert_eq!(legal(&[false, true]), Ok(()));
        assert_eq!(legal(&[false, false]), Err(Fault::NothingLegal));
        assert_eq!(legal(&[true]), Err(Fault::LegalSize { found: 1, expected: 2 }));
    }

    #[test]
    fn observations_second_fault_of_an_episode_is_also_found() {
        let mut out = observations(Space::tokens(["0"]));
        out.set_legal(0, &[false, false]);
        out.set_tokens(0, &[7]);
        out.set_tokens(0, &[0]); // a later observation does not hide the fault
        let faults: Vec<Fault> = out.faults(0).collect();
        assert_eq!(faults, [Fault::Token { token: 7, vocabulary: 1 }, Fault::NothingLegal]);
    }

    #[test]
    fn observations_rotate_gives_each_episode_that_of_its_neighbour() {
        let mut out = observations(Space::vector(2));
        out.set_vector(0, &[1.0, 2.0]);
        out.set_vector(1, &[3.0, 4.0]);
        out.rotate();
        assert_eq!([out.vector(0), out.vector(1)], [[3.0, 4.0], [1.0, 2.0]]);
    }
}
