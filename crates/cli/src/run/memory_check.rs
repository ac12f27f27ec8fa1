//! The memory that a command needs, compared with what there is, before it begins.
//!
//! Two things can be too small: the memory itself, of the machine or of a control group, and the address space, if `ulimit -v`
//! limits it. In address space the allocator reserves more than it uses, [`RESERVED`] for each thread: those that compute, one for
//! each run that waits for them, and the one that listens to Ctrl-C.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use rl::memory::PROCESS;

use crate::error::{Error, Result};

/// Address space that each thread takes besides what it uses: a heap of its own, 64 MiB in glibc, and a stack of 2 MiB.
const RESERVED: u64 = 66 << 20;

/// The memory that a command needs.
pub(crate) struct Need {
    /// The activity that needs it, in words.
    pub(crate) what: &'static str,
    /// Bytes of a run.
    pub(crate) each: u64,
    /// Runs at a time.
    pub(crate) runs: usize,
    /// Threads of all of them.
    pub(crate) threads: usize,
    /// Advice for someone who has too little, in words.
    pub(crate) advice: &'static str,
}

impl Need {
    /// Compares the need with what the system has. A system that does not say what it has is taken to have enough.
    ///
    /// # Errors
    /// If the need is larger.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_in(Path::new("/"))
    }

    fn check_in(&self, root: &Path) -> Result<()> {
        let &Self { what, each, runs, threads, advice } = self;
        let memory = each.saturating_mul(runs as u64).saturating_add(PROCESS);
        let at_a_time = if runs > 1 { format!(" in {runs} runs at a time") } else { String::new() };
        match available(root) {
            Some(available) if memory > available => {
                let (memory, available) = (mib(memory), mib(available));
                return Err(Error::input(format!(
                    "{what} needs {memory} of memory{at_a_time}, and {available} are available; {advice}"
                )));
            }
            _ => {}
        }
        let threads = (threads + runs + 1) as u64;
        let space = memory.saturating_add(threads.saturating_mul(RESERVED));
        match address_space(root) {
            Some(limit) if space > limit => {
                let (space, limit, reserved) = (mib(space), mib(limit), mib(RESERVED));
                Err(Error::input(format!(
                    "{what} needs {space} of address space{at_a_time}, with {reserved} for each of {threads} threads, and \
                     ulimit -v allows {limit}; {advice}, or raise that limit"
                )))
            }
            _ => Ok(()),
        }
    }
}

/// The number of threads of the machine.
pub(crate) fn all_threads() -> usize {
    available_parallelism().map_or(1, usize::from)
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

/// Bytes that Linux can give, with what it can move to disk: of the machine, and of this process's control groups.
fn available(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let swap = kilobytes(&text, "SwapFree").unwrap_or(0);
    let machine = kilobytes(&text, "MemAvailable")?;
    let groups = groups(root);
    let memory = groups.iter().filter_map(|group| group.memory).fold(machine, u64::min);
    let swap = groups.iter().filter_map(|group| group.swap).fold(swap, u64::min);
    Some(memory.saturating_add(swap))
}

/// The number of a line `name: number kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Bytes of address space that this process may take, if that is limited.
fn address_space(root: &Path) -> Option<u64> {
    let limits = fs::read_to_string(root.join("proc/self/limits")).ok()?;
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    limit.split_whitespace().next()?.parse().ok()
}

/// Bytes that a control group can still give, if it has limits.
struct Group {
    memory: Option<u64>,
    swap: Option<u64>,
}

/// The control groups that this process is in, of either version, with those around them.
fn groups(root: &Path) -> Vec<Group> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let groups = groups.lines().flat_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, group) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (folder, group_of): (_, fn(&Path) -> Group) = match controllers {
            "" => ("sys/fs/cgroup", Group::read),
            _ => ("sys/fs/cgroup/memory", Group::read_version_1),
        };
        let memory = controllers.is_empty() || controllers.split(',').any(|controller| controller == "memory");
        let parents = Path::new(group.trim_start_matches('/')).ancestors();
        parents.filter(|_| memory).map(|group| group_of(&root.join(folder).join(group))).collect::<Vec<_>>()
    });
    groups.collect()
}

impl Group {
    fn read(folder: &Path) -> Self {
        let left = |limit, used, spare: u64| {
            let (limit, used) = (number(folder, limit)?, number(folder, used).unwrap_or(0));
            Some(limit.saturating_sub(used.saturating_sub(spare)))
        };
        Self {
            memory: left("memory.max", "memory.current", cache(folder, "")),
            swap: left("memory.swap.max", "memory.swap.current", 0),
        }
    }

    /// The limit of memory and swap together is a limit of swap here, once the memory is used.
    fn read_version_1(folder: &Path) -> Self {
        let left = |limit, used| {
            let (limit, used) = (number(folder, limit)?, number(folder, used).unwrap_or(0));
            Some(limit.saturating_sub(used.saturating_sub(cache(folder, "total_"))))
        };
        let memory = left("memory.limit_in_bytes", "memory.usage_in_bytes");
        let both = left("memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes");
        Self { memory, swap: both.zip(memory).map(|(both, memory)| both.saturating_sub(memory)) }
    }
}

/// The number in a file of a group; none where it is `max`.
fn number(folder: &Path, file: &str) -> Option<u64> {
    fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()
}

/// Bytes of files that a group keeps in memory and gives back when asked.
fn cache(folder: &Path, prefix: &str) -> u64 {
    let text = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let number = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(prefix)?.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    ["active_file ", "inactive_file "].into_iter().filter_map(number).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "5:cpu,cpuacct:/a\n4:memory:/a\n";

    /// A machine with 4000 MiB available and 96 MiB of swap, with these files.
    fn machine(groups: &str, more: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary folder");
        let memory = "MemTotal:   9000000 kB\nMemAvailable:   4096000 kB\nSwapTotal: 200000 kB\nSwapFree:  98304 kB\n";
        let files = [("proc/meminfo", memory), ("proc/self/cgroup", groups)];
        for (path, text) in files.iter().chain(more) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("in the folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        root
    }

    /// MiB that this machine can give.
    fn gives(groups: &str, more: &[(&str, &str)]) -> Option<u64> {
        available(machine(groups, more).path()).map(|bytes| bytes >> 20)
    }

    #[test]
    fn available_smallest_limit_counts() {
        assert_eq!(gives("0::/\n", &[]), Some(4096));
        assert_eq!(gives("0::/a/b\n", &[("sys/fs/cgroup/a/b/memory.max", "max\n")]), Some(4096));
        assert_eq!(gives("0::/a/b\n", &[("sys/fs/cgroup/a/b/memory.max", "1073741824\n")]), Some(1120));
        assert_eq!(gives("0::/a/b\n", &[("sys/fs/cgroup/a/memory.max", "1073741824\n")]), Some(1120));
        assert_eq!(gives("0::/other\n", &[("sys/fs/cgroup/a/memory.max", "1073741824\n")]), Some(4096));
        assert_eq!(gives(OLD, &[("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "2147483648\n")]), Some(2144));
        assert_eq!(gives(OLD, &[("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")]), Some(4096));
    }

    /// 1024 MiB at most, of which 512 are used, 128 of them by files; the files can go.
    #[test]
    fn available_what_a_group_uses_is_gone_but_for_its_files() {
        let stat = "anon 402653184\nfile 134217728\ninactive_file 100663296\nactive_file 33554432\n";
        let files = [
            ("sys/fs/cgroup/a/memory.max", "1073741824\n"),
            ("sys/fs/cgroup/a/memory.current", "536870912\n"),
            ("sys/fs/cgroup/a/memory.stat", stat),
        ];
        assert_eq!(gives("0::/a\n", &files), Some(1024 - 512 + 128 + 96));
        let stat = "inactive_file 7\ntotal_inactive_file 100663296\ntotal_active_file 33554432\n";
        let files = [
            ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1073741824\n"),
            ("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "536870912\n"),
            ("sys/fs/cgroup/memory/a/memory.stat", stat),
        ];
        assert_eq!(gives(OLD, &files), Some(1024 - 512 + 128 + 96));
    }

    #[test]
    fn available_swap_that_a_group_may_not_use_does_not_count() {
        let memory = ("sys/fs/cgroup/a/memory.max", "1073741824\n");
        assert_eq!(gives("0::/a\n", &[memory, ("sys/fs/cgroup/a/memory.swap.max", "0\n")]), Some(1024));
        let used = ("sys/fs/cgroup/a/memory.swap.current", "33554432\n");
        let swap = ("sys/fs/cgroup/a/memory.swap.max", "67108864\n");
        assert_eq!(gives("0::/a\n", &[memory, swap, used]), Some(1024 + 32));
        let memory = ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1073741824\n");
        let both = ("sys/fs/cgroup/memory/a/memory.memsw.limit_in_bytes", "1073741824\n");
        assert_eq!(gives(OLD, &[memory, both]), Some(1024));
    }

    #[test]
    fn available_system_that_does_not_say_has_no_limit() {
        let root = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(available(root.path()), None);
        assert_eq!(address_space(root.path()), None);
    }

    #[test]
    fn address_space_is_the_limit_if_there_is_one() {
        let limits =
            |limit| format!("Limit   Soft Limit   Hard Limit\nMax address space   {limit}   unlimited   bytes\n");
        let limited = |limit| address_space(machine("", &[("proc/self/limits", &limits(limit))]).path());
        assert_eq!([limited("unlimited"), limited("4194304")], [None, Some(4 << 20)]);
    }

    fn need(each: u64, runs: usize, threads: usize) -> Need {
        Need { what: "training", each, runs, threads, advice: "choose less" }
    }

    #[test]
    fn check_what_needs_nothing_fits() {
        assert!(need(0, 5, 5).check_in(machine("", &[]).path()).is_ok());
    }

    /// 4096 MiB, of which the process takes 12.
    #[test]
    fn check_need_is_compared_to_the_byte() {
        let (machine, fits) = (machine("", &[]), (4096 << 20) - PROCESS);
        assert!(need(fits, 1, 64).check_in(machine.path()).is_ok());
        assert!(need(fits / 2, 2, 64).check_in(machine.path()).is_ok());
        let message = |need: Need| need.check_in(machine.path()).expect_err("too much").to_string();
        assert_eq!(
            message(need(fits + 1, 1, 1)),
            "training needs 4097 MiB of memory, and 4096 MiB are available; choose less"
        );
        assert_eq!(
            message(need(fits / 2 + 1, 2, 1)),
            "training needs 4097 MiB of memory in 2 runs at a time, and 4096 MiB are available; choose less"
        );
    }

    #[test]
    fn check_address_space_counts_heaps_and_stacks() {
        let limits = "Max address space   1073741824   unlimited   bytes\n";
        let machine = machine("", &[("proc/self/limits", limits)]);
        let fits = (1024 << 20) - PROCESS - 4 * RESERVED;
        assert!(need(fits, 1, 2).check_in(machine.path()).is_ok());
        let error = need(fits + 1, 1, 2).check_in(machine.path()).expect_err("too much").to_string();
        assert_eq!(
            error,
            "training needs 1025 MiB of address space, with 66 MiB for each of 4 threads, and ulimit -v allows 1024 MiB; \
             choose less, or raise that limit"
        );
    }
}
