//! Expressions as binary trees: their text, their hashes, and what a program for them needs.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use tensor::philox::Philox;

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// a + b.
    Add,
    /// a − b.
    Sub,
    /// a · b.
    Mul,
}

impl Operator {
    /// All operators.
    pub const ALL: [Self; 3] = [Self::Add, Self::Sub, Self::Mul];

    /// Returns true if a ∘ b is b ∘ a.
    pub fn is_commutative(self) -> bool {
        self != Self::Sub
    }

    /// The sign of the operator.
    pub fn sign(self) -> char {
        match self {
            Self::Add => '+',
            Self::Sub => '−',
            Self::Mul => '·',
        }
    }
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// The slot with this number.
    Slot(u32),
    /// a ∘ b.
    Node(Operator, Box<[Tree; 2]>),
}

/// A value of the machine: what its slots and operators compute.
pub trait Value: Clone + PartialEq {
    /// The content of a slot.
    fn from_slot(slot: u32) -> Self;

    /// Computes a ∘ b.
    fn apply(operator: Operator, a: Self, b: Self) -> Self;
}

impl Value for Tree {
    fn from_slot(slot: u32) -> Self {
        Self::Slot(slot)
    }

    fn apply(operator: Operator, a: Self, b: Self) -> Self {
        Self::Node(operator, Box::new([a, b]))
    }
}

/// A number for a tree, equal for trees that differ only in the order of the operands of + and ·. Different trees have
/// different numbers, but for chances of about 2⁻⁶⁴.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest {
    /// The number.
    pub hash: u64,
    /// The number of the tree's kind: see [`Tree::kind`].
    pub kind: u64,
    /// The number of leaves, at most 255.
    pub leaves: u8,
    /// One bit for each slot that occurs.
    slots: u16,
}

impl Digest {
    /// A value that is no tree, where only some trees count.
    pub(super) const OTHER: Self = Self { hash: 0, kind: 0, leaves: 0, slots: 0 };

    /// Returns true if no slot occurs twice.
    pub fn is_distinct(self) -> bool {
        self.slots.count_ones() == u32::from(self.leaves)
    }
}

impl Value for Digest {
    fn from_slot(slot: u32) -> Self {
        Self { hash: mix(u64::from(slot) + 1), kind: LEAF, leaves: 1, slots: 1 << slot }
    }

    fn apply(operator: Operator, a: Self, b: Self) -> Self {
        let combine = |a, b| combine(operator, a, b, operator.is_commutative());
        let (hash, kind) = (combine(a.hash, b.hash), combine(a.kind, b.kind));
        Self { hash, kind, leaves: a.leaves.saturating_add(b.leaves), slots: a.slots | b.slots }
    }
}

/// The hash of a leaf whose slot does not count.
const LEAF: u64 = 1;

/// Combines the hashes of two operands, of which the order counts unless `is_unordered`.
fn combine(operator: Operator, a: u64, b: u64, is_unordered: bool) -> u64 {
    let [a, b] = if is_unordered && a > b { [b, a] } else { [a, b] };
    mix(mix(mix(operator as u64 + 17) ^ a).wrapping_add(b))
}

/// Mixes the bits of a number: the finaliser of SplitMix64.
///
/// Source: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators" (2014), figure 14 with the constants
/// of variant 13 by D. Stafford.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Tree {
    /// Computes the value of the tree.
    pub fn value<V: Value>(&self) -> V {
        match self {
            &Self::Slot(slot) => V::from_slot(slot),
            Self::Node(operator, sides) => V::apply(*operator, sides[0].value(), sides[1].value()),
        }
    }

    /// A number for the pattern of the tree: its shape and its operators, without its slots.
    pub fn pattern(&self) -> u64 {
        match self {
            Self::Slot(_) => LEAF,
            Self::Node(operator, sides) => combine(*operator, sides[0].pattern(), sides[1].pattern(), false),
        }
    }

    /// A number for the kind of the tree: its pattern up to the order of the operands of + and ·.
    pub fn kind(&self) -> u64 {
        self.value::<Digest>().kind
    }

    /// The number of leaves.
    pub fn leaves(&self) -> usize {
        match self {
            Self::Slot(_) => 1,
            Self::Node(_, sides) => sides.iter().map(Self::leaves).sum(),
        }
    }

    fn is_leaf(&self) -> bool {
        matches!(self, Self::Slot(_))
    }

    /// Exchanges the operands of each + and ·, each with probability 1/2.
    pub fn exchange_operands(&mut self, rng: &mut Philox) {
        if let Self::Node(operator, sides) = self {
            if operator.is_commutative() && rng.below(2) == 1 {
                sides.swap(0, 1);
            }
            sides.iter_mut().for_each(|side| side.exchange_operands(rng));
        }
    }

    /// The slots, from left to right.
    pub fn slots(&self) -> Vec<u32> {
        match self {
            Self::Slot(slot) => Vec::from([*slot]),
            Self::Node(_, sides) => sides.iter().flat_map(Self::slots).collect(),
        }
    }

    /// Replaces the slots, from left to right.
    pub fn set_slots(&mut self, slots: &mut impl Iterator<Item = u32>) {
        match self {
            Self::Slot(slot) => *slot = slots.next().expect("a slot for each leaf"),
            Self::Node(_, sides) => sides.iter_mut().for_each(|side| side.set_slots(slots)),
        }
    }

    /// The number of steps of a shortest program with enough registers: 2n + 2·stores, with its answer.
    ///
    /// A node with two results to combine stores one of them. So does − with a leaf on its left, if it cannot be computed in
    /// reverse.
    pub fn optimum(&self, has_reverse: bool) -> usize {
        2 * self.leaves() + 2 * self.stores(has_reverse)
    }

    fn stores(&self, has_reverse: bool) -> usize {
        let Self::Node(operator, sides) = self else { return 0 };
        let stores = match [sides[0].is_leaf(), sides[1].is_leaf()] {
            [false, false] => true,
            [true, false] => !has_reverse && *operator == Operator::Sub,
            [_, true] => false,
        };
        usize::from(stores) + sides.iter().map(|side| side.stores(has_reverse)).sum::<usize>()
    }

    /// The number of registers that a program needs.
    ///
    /// Of two results, one is stored while the other is computed. The larger need comes first, where the order is free: it is
    /// for + and ·, and for − if the machine can compute it in reverse.
    pub fn registers(&self, has_reverse: bool) -> usize {
        let Self::Node(operator, sides) = self else { return 0 };
        let [a, b] = [0, 1].map(|side| sides[side].registers(has_reverse));
        let is_free = has_reverse || operator.is_commutative();
        match [sides[0].is_leaf(), sides[1].is_leaf()] {
            [true, true] => 0,
            [false, true] => a,
            [true, false] if is_free => b,
            [true, false] => b.max(1),
            [false, false] if is_free => a.max(b + 1).min(b.max(a + 1)),
            [false, false] => b.max(a + 1),
        }
    }

    /// All patterns with `leaves` leaves: every shape with every choice of operators. The slots are 0, 1, … from left to right.
    pub fn patterns(leaves: usize) -> Vec<Self> {
        Self::patterns_from(leaves, 0)
    }

    fn patterns_from(leaves: usize, first: u32) -> Vec<Self> {
        if leaves == 1 {
            return Vec::from([Self::Slot(first)]);
        }
        let mut patterns = Vec::new();
        for left in 1..leaves {
            let (a, b) = (Self::patterns_from(left, first), Self::patterns_from(leaves - left, first + left as u32));
            for operator in Operator::ALL {
                let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
                patterns.extend(pairs.map(|(a, b)| Self::apply(operator, a.clone(), b.clone())));
            }
        }
        patterns
    }
}

/// The text of the expression, fully parenthesised: `((a+b)·c)`.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            &Self::Slot(slot) => write!(f, "{}", slot_name(slot)),
            Self::Node(operator, sides) => write!(f, "({}{}{})", sides[0], operator.sign(), sides[1]),
        }
    }
}

/// The name of a slot: a letter.
pub fn slot_name(slot: u32) -> char {
    char::from(b'a' + slot as u8)
}
