//! What a loss of power leaves.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tensor::philox::Philox;

use super::files::set;
use super::{Content, Edit, MemoryDisk, State};

/// A disk writes at least this much at once.
const BLOCK: usize = 16;

impl Edit {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Cut { length } => content.resize(*length, 0),
            Self::Write { at, bytes } => {
                content.resize(content.len().max(at + bytes.len()), 0);
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
    }

    /// Its part up to a byte.
    fn torn(&self, chance: &mut Philox) -> Self {
        match self {
            Self::Write { at, bytes } => {
                let length = chance.below(bytes.len() as u32 + 1) as usize;
                Self::Write { at: *at, bytes: bytes[..length].to_vec() }
            }
            Self::Cut { .. } => self.clone(),
        }
    }

    /// Its blocks, each of which may reach the disk without the others.
    fn blocks(&self) -> Vec<Self> {
        match self {
            Self::Write { at, bytes } => {
                let block = |(i, block): (usize, &[u8])| Self::Write { at: at + i * BLOCK, bytes: block.to_vec() };
                bytes.chunks(BLOCK).enumerate().map(block).collect()
            }
            Self::Cut { .. } => vec![self.clone()],
        }
    }
}

impl Content {
    pub(super) fn edit(&mut self, edit: Edit) {
        edit.apply(&mut self.seen);
        self.edits.push(edit);
    }

    /// Everything is on the disk.
    pub(super) fn settle(&mut self) {
        self.edits.drain(..).for_each(|edit| edit.apply(&mut self.safe));
    }

    /// Some of it is: the first edits and a part of the next, or any of the blocks.
    pub(super) fn survive(&mut self, chance: &mut Philox) {
        let edits = std::mem::take(&mut self.edits);
        if chance.below(2) == 0 {
            let whole = chance.below(edits.len() as u32 + 1) as usize;
            edits[..whole].iter().for_each(|edit| edit.apply(&mut self.safe));
            edits.get(whole).into_iter().for_each(|edit| edit.torn(chance).apply(&mut self.safe));
        } else {
            let blocks = edits.iter().flat_map(Edit::blocks);
            blocks.filter(|_| chance.below(2) == 0).for_each(|block| block.apply(&mut self.safe));
        }
    }
}

impl State {
    /// The names that the disk has: in order up to a point, as a file system with a journal writes them, or any of them.
    fn surviving_names(&mut self) -> BTreeMap<PathBuf, usize> {
        let mut names = self.safe_names.clone();
        let ordered = self.chance.below(2) == 0;
        let first = self.chance.below(self.renamed.len() as u32 + 1) as usize;
        for (i, naming) in self.renamed.iter().enumerate() {
            let survives = if ordered { i < first } else { self.chance.below(2) == 0 };
            naming.iter().filter(|_| survives).for_each(|(path, file)| set(&mut names, path, *file));
        }
        names
    }
}

impl MemoryDisk {
    /// The disk as it is found when the power is back. Whoever still has it open goes on with the old one.
    pub fn after_power_cut(&self) -> Self {
        let old = &mut *self.state();
        let after = Self::new(old.chance.next_u64());
        let mut new = after.state();
        new.forgets = old.forgets;
        new.links = old.links.clone();
        new.files = old.files.clone();
        for content in &mut new.files {
            content.survive(&mut old.chance);
            content.seen = content.safe.clone();
        }
        new.safe_names = old.surviving_names();
        new.names = new.safe_names.clone();
        drop(new);
        after
    }
}
