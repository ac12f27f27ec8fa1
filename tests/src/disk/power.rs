//! The state of the disk after a power cut.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tensor::philox::Philox;

use super::files::set_name;
use super::{Content, Edit, MemoryDisk, State};

/// The number of bytes that the disk writes at once.
const BLOCK: usize = 16;

impl Edit {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Truncate { length } => content.resize(*length, 0),
            Self::Write { at, bytes } => {
                content.resize(content.len().max(at + bytes.len()), 0);
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
    }

    /// Cuts a write off at a random byte.
    fn tear(&self, rng: &mut Philox) -> Self {
        match self {
            Self::Write { at, bytes } => {
                let length = rng.below(bytes.len() as u32 + 1) as usize;
                Self::Write { at: *at, bytes: bytes[..length].to_vec() }
            }
            Self::Truncate { .. } => self.clone(),
        }
    }

    /// Splits a write into blocks. Each may reach the disk without the others.
    fn split_into_blocks(&self) -> Vec<Self> {
        match self {
            Self::Write { at, bytes } => {
                let block = |(i, block): (usize, &[u8])| Self::Write { at: at + i * BLOCK, bytes: block.to_vec() };
                bytes.chunks(BLOCK).enumerate().map(block).collect()
            }
            Self::Truncate { .. } => vec![self.clone()],
        }
    }
}

impl Content {
    pub(super) fn edit(&mut self, edit: Edit) {
        edit.apply(&mut self.visible);
        self.edits.push(edit);
    }

    /// Makes all edits durable.
    pub(super) fn sync_all(&mut self) {
        self.edits.drain(..).for_each(|edit| edit.apply(&mut self.durable));
    }

    /// Makes some edits durable: either the first ones and a part of the next, or random blocks.
    pub(super) fn sync_some(&mut self, rng: &mut Philox) {
        let edits = std::mem::take(&mut self.edits);
        if rng.below(2) == 0 {
            let whole = rng.below(edits.len() as u32 + 1) as usize;
            edits[..whole].iter().for_each(|edit| edit.apply(&mut self.durable));
            edits.get(whole).into_iter().for_each(|edit| edit.tear(rng).apply(&mut self.durable));
        } else {
            let blocks = edits.iter().flat_map(Edit::split_into_blocks);
            blocks.filter(|_| rng.below(2) == 0).for_each(|block| block.apply(&mut self.durable));
        }
    }
}

impl State {
    /// Draws the names that survive a power cut. Pending changes survive either in order up to a random point, as on a
    /// file system with a journal, or each at random.
    fn draw_surviving_names(&mut self) -> BTreeMap<PathBuf, usize> {
        let mut names = self.durable_names.clone();
        let ordered = self.rng.below(2) == 0;
        let first = self.rng.below(self.pending_names.len() as u32 + 1) as usize;
        for (i, naming) in self.pending_names.iter().enumerate() {
            let survives = if ordered { i < first } else { self.rng.below(2) == 0 };
            naming.iter().filter(|_| survives).for_each(|(path, file)| set_name(&mut names, path, *file));
        }
        names
    }
}

impl MemoryDisk {
    /// Returns the disk as a program finds it after a power cut. Open handles keep using the old disk.
    pub fn after_power_cut(&self) -> Self {
        let old = &mut *self.state();
        let after = Self::new(old.rng.next_u64());
        let mut new = after.state();
        new.ignored = old.ignored;
        new.links = old.links.clone();
        new.files = old.files.clone();
        for content in &mut new.files {
            content.sync_some(&mut old.rng);
            content.visible = content.durable.clone();
        }
        new.durable_names = old.draw_surviving_names();
        new.names = new.durable_names.clone();
        drop(new);
        after
    }
}
