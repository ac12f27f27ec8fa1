//! Compares the memory that a command needs with the available memory, before the command starts.
//!
//! Two limits are checked: the memory of the machine and of its control groups, and the address space, if `ulimit -v` limits
//! it. The allocator reserves more address space than memory: [`THREAD_ADDRESS_SPACE`] for each thread. The threads are those
//! that compute, one per run that waits for them, and one for Ctrl-C.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use rl::env::Spec;
use rl::memory::PROCESS_BYTES;

use crate::error::{Error, Result};

/// Address space that each thread reserves beyond the memory it uses: its own heap, 64 MiB in glibc, and a 2 MiB stack.
const THREAD_ADDRESS_SPACE: u64 = 66 << 20;

/// Memory requirement of a command.
pub(crate) struct MemoryNeed {
    /// Activity that needs the memory, for the error message.
    pub(crate) activity: &'static str,
    /// Bytes per run.
    pub(crate) bytes_per_run: u64,
    /// Number of parallel runs.
    pub(crate) runs: usize,
    /// Number of threads of all runs together.
    pub(crate) threads: usize,
    /// Advice in the error message.
    pub(crate) advice: String,
}

/// A horizon above this number of steps is named in the advice, because smaller settings may not be enough.
const LONG_HORIZON: usize = 1000;

/// Adds the horizon of a task to advice against too little memory, if it is long.
pub(crate) fn add_horizon(advice: &str, spec: &Spec) -> String {
    match spec.horizon {
        0..=LONG_HORIZON => advice.to_owned(),
        steps => {
            format!("{advice}, or a shorter horizon of the task {}, whose episodes may take {steps} steps", spec.name)
        }
    }
}

impl MemoryNeed {
    /// Compares the requirement with the available memory. A system that does not report its memory counts as large enough.
    ///
    /// # Errors
    /// If the requirement is larger.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_under(Path::new("/"))
    }

    fn check_under(&self, root: &Path) -> Result<()> {
        let &Self { activity, bytes_per_run, runs, threads, ref advice } = self;
        let memory = bytes_per_run.saturating_mul(runs as u64).saturating_add(PROCESS_BYTES);
        let concurrency = if runs > 1 { format!(" for {runs} parallel runs") } else { String::new() };
        match available_memory(root) {
            Some(available) if memory > available => {
                let (memory, available) = (format_mib(memory), format_mib(available));
                return Err(Error::input(format!(
                    "{activity} needs {memory} of memory{concurrency}, but only {available} are available; {advice}"
                )));
            }
            _ => {}
        }
        let threads = (threads + runs + 1) as u64;
        let space = memory.saturating_add(threads.saturating_mul(THREAD_ADDRESS_SPACE));
        match address_space_limit(root) {
            Some(limit) if space > limit => {
                let (space, limit, reserved) = (format_mib(space), format_mib(limit), format_mib(THREAD_ADDRESS_SPACE));
                Err(Error::input(format!(
                    "{activity} needs {space} of address space{concurrency}, including {reserved} for each of {threads} threads, but \
                     ulimit -v allows only {limit}; {advice}, or raise that limit"
                )))
            }
            _ => Ok(()),
        }
    }
}

/// Returns the number of hardware threads of the machine.
pub(crate) fn all_threads() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Formats bytes as MiB, rounded up.
fn format_mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

/// Returns the bytes of memory and swap that Linux can still give to this process, limited by the machine and by the
/// process's control groups.
fn available_memory(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let swap = read_kb_line(&text, "SwapFree").unwrap_or(0);
    let machine = read_kb_line(&text, "MemAvailable")?;
    let groups = cgroup_limits(root);
    let memory = groups.iter().filter_map(|group| group.memory).fold(machine, u64::min);
    let swap = groups.iter().filter_map(|group| group.swap).fold(swap, u64::min);
    Some(memory.saturating_add(swap))
}

/// Reads the number in a line `name: number kB` and returns it in bytes.
fn read_kb_line(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Returns the address space limit of this process in bytes, if it has one.
fn address_space_limit(root: &Path) -> Option<u64> {
    let limits = fs::read_to_string(root.join("proc/self/limits")).ok()?;
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    limit.split_whitespace().next()?.parse().ok()
}

/// Bytes that a control group can still give. `None` means no limit.
struct CgroupLimits {
    memory: Option<u64>,
    swap: Option<u64>,
}

/// Returns the control groups (cgroups) of this process and all their parents, in version 1 or 2.
fn cgroup_limits(root: &Path) -> Vec<CgroupLimits> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let groups = groups.lines().flat_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, group) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (folder, read_group): (_, fn(&Path) -> CgroupLimits) = match controllers {
            "" => ("sys/fs/cgroup", CgroupLimits::read),
            _ => ("sys/fs/cgroup/memory", CgroupLimits::read_version_1),
        };
        let memory = controllers.is_empty() || controllers.split(',').any(|controller| controller == "memory");
        let parents = Path::new(group.trim_start_matches('/')).ancestors();
        parents.filter(|_| memory).map(|group| read_group(&root.join(folder).join(group))).collect::<Vec<_>>()
    });
    groups.collect()
}

impl CgroupLimits {
    /// Reads the limits of a control group of version 2.
    fn read(folder: &Path) -> Self {
        let remaining = |limit, used, reclaimable: u64| {
            let (limit, used) = (read_number(folder, limit)?, read_number(folder, used).unwrap_or(0));
            Some(limit.saturating_sub(used.saturating_sub(reclaimable)))
        };
        Self {
            memory: remaining("memory.max", "memory.current", file_cache(folder, "")),
            swap: remaining("memory.swap.max", "memory.swap.current", 0),
        }
    }

    /// Reads the limits of a control group of version 1. Version 1 limits memory plus swap; the swap limit is the difference.
    fn read_version_1(folder: &Path) -> Self {
        let remaining = |limit, used| {
            let (limit, used) = (read_number(folder, limit)?, read_number(folder, used).unwrap_or(0));
            Some(limit.saturating_sub(used.saturating_sub(file_cache(folder, "total_"))))
        };
        let memory = remaining("memory.limit_in_bytes", "memory.usage_in_bytes");
        let both = remaining("memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes");
        Self { memory, swap: both.zip(memory).map(|(both, memory)| both.saturating_sub(memory)) }
    }
}

/// Reads the number in a file of a control group. Returns `None` for `max`.
fn read_number(folder: &Path, file: &str) -> Option<u64> {
    fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()
}

/// Returns the bytes of the group's file cache, which the kernel can reclaim.
fn file_cache(folder: &Path, prefix: &str) -> u64 {
    let text = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let number = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(prefix)?.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    ["active_file ", "inactive_file "].into_iter().filter_map(number).sum()
}

#[cfg(test)]
mod tests {
    use rl::env::{ActionSpace, Space};

    use super::*;

    const OLD: &str = "5:cpu,cpuacct:/a\n4:memory:/a\n";

    /// Creates the files of a machine with 4000 MiB of available memory and 96 MiB of free swap, and more files.
    fn machine(groups: &str, more: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary folder");
        let memory = "MemTotal:   9000000 kB\nMemAvailable:   4096000 kB\nSwapTotal: 200000 kB\nSwapFree:  98304 kB\n";
        let files = [("proc/meminfo", memory), ("proc/self/cgroup", groups)];
        for (path, text) in files.iter().chain(more) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("in the folder")).expect("created");
            fs::write(path, text).expect("written");
        }
        root
    }

    /// Returns the available MiB of such a machine.
    fn available_mib(groups: &str, more: &[(&str, &str)]) -> Option<u64> {
        available_memory(machine(groups, more).path()).map(|bytes| bytes >> 20)
    }

    #[test]
    fn available_memory_several_limits_returns_the_smallest() {
        assert_eq!(available_mib("0::/\n", &[]), Some(4096));
        assert_eq!(available_mib("0::/a/b\n", &[("sys/fs/cgroup/a/b/memory.max", "max\n")]), Some(4096));
        assert_eq!(available_mib("0::/a/b\n", &[("sys/fs/cgroup/a/b/memory.max", "1073741824\n")]), Some(1120));
        assert_eq!(available_mib("0::/a/b\n", &[("sys/fs/cgroup/a/memory.max", "1073741824\n")]), Some(1120));
        assert_eq!(available_mib("0::/other\n", &[("sys/fs/cgroup/a/memory.max", "1073741824\n")]), Some(4096));
        assert_eq!(available_mib(OLD, &[("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "2147483648\n")]), Some(2144));
        assert_eq!(
            available_mib(OLD, &[("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")]),
            Some(4096)
        );
    }

    /// The limit is 1024 MiB. 512 MiB are used, 128 of them by cached files, which can be reclaimed.
    #[test]
    fn available_memory_group_usage_is_subtracted_without_file_cache() {
        let stat = "anon 402653184\nfile 134217728\ninactive_file 100663296\nactive_file 33554432\n";
        let files = [
            ("sys/fs/cgroup/a/memory.max", "1073741824\n"),
            ("sys/fs/cgroup/a/memory.current", "536870912\n"),
            ("sys/fs/cgroup/a/memory.stat", stat),
        ];
        assert_eq!(available_mib("0::/a\n", &files), Some(1024 - 512 + 128 + 96));
        let stat = "inactive_file 7\ntotal_inactive_file 100663296\ntotal_active_file 33554432\n";
        let files = [
            ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1073741824\n"),
            ("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "536870912\n"),
            ("sys/fs/cgroup/memory/a/memory.stat", stat),
        ];
        assert_eq!(available_mib(OLD, &files), Some(1024 - 512 + 128 + 96));
    }

    #[test]
    fn available_memory_swap_beyond_the_group_limit_does_not_count() {
        let memory = ("sys/fs/cgroup/a/memory.max", "1073741824\n");
        assert_eq!(available_mib("0::/a\n", &[memory, ("sys/fs/cgroup/a/memory.swap.max", "0\n")]), Some(1024));
        let used = ("sys/fs/cgroup/a/memory.swap.current", "33554432\n");
        let swap = ("sys/fs/cgroup/a/memory.swap.max", "67108864\n");
        assert_eq!(available_mib("0::/a\n", &[memory, swap, used]), Some(1024 + 32));
        let memory = ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1073741824\n");
        let both = ("sys/fs/cgroup/memory/a/memory.memsw.limit_in_bytes", "1073741824\n");
        assert_eq!(available_mib(OLD, &[memory, both]), Some(1024));
    }

    #[test]
    fn available_memory_unknown_system_has_no_limit() {
        let root = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(available_memory(root.path()), None);
        assert_eq!(address_space_limit(root.path()), None);
    }

    #[test]
    fn address_space_limit_is_none_or_the_limit() {
        let limits =
            |limit| format!("Limit   Soft Limit   Hard Limit\nMax address space   {limit}   unlimited   bytes\n");
        let limited = |limit| address_space_limit(machine("", &[("proc/self/limits", &limits(limit))]).path());
        assert_eq!([limited("unlimited"), limited("4194304")], [None, Some(4 << 20)]);
    }

    fn need(bytes_per_run: u64, runs: usize, threads: usize) -> MemoryNeed {
        MemoryNeed { activity: "training", bytes_per_run, runs, threads, advice: "choose less".to_owned() }
    }

    #[test]
    fn add_horizon_names_only_a_long_horizon() {
        let spec = |horizon| Spec::new("walk", Space::vector(1), ActionSpace::continuous(1), horizon);
        assert_eq!(add_horizon("choose less", &spec(1000)), "choose less");
        let want = "choose less, or a shorter horizon of the task walk, whose episodes may take 1001 steps";
        assert_eq!(add_horizon("choose less", &spec(1001)), want);
    }

    #[test]
    fn check_zero_bytes_fits() {
        assert!(need(0, 5, 5).check_under(machine("", &[]).path()).is_ok());
    }

    /// 4096 MiB are available, of which the process takes 12.
    #[test]
    fn check_one_byte_too_much_is_an_error() {
        let (machine, fits) = (machine("", &[]), (4096 << 20) - PROCESS_BYTES);
        assert!(need(fits, 1, 64).check_under(machine.path()).is_ok());
        assert!(need(fits / 2, 2, 64).check_under(machine.path()).is_ok());
        let message = |need: MemoryNeed| need.check_under(machine.path()).expect_err("too much").to_string();
        assert_eq!(
            message(need(fits + 1, 1, 1)),
            "training needs 4097 MiB of memory, but only 4096 MiB are available; choose less"
        );
        assert_eq!(
            message(need(fits / 2 + 1, 2, 1)),
            "training needs 4097 MiB of memory for 2 parallel runs, but only 4096 MiB are available; choose less"
        );
    }

    #[test]
    fn check_address_space_counts_heaps_and_stacks() {
        let limits = "Max address space   1073741824   unlimited   bytes\n";
        let machine = machine("", &[("proc/self/limits", limits)]);
        let fits = (1024 << 20) - PROCESS_BYTES - 4 * THREAD_ADDRESS_SPACE;
        assert!(need(fits, 1, 2).check_under(machine.path()).is_ok());
        let error = need(fits + 1, 1, 2).check_under(machine.path()).expect_err("too much").to_string();
        assert_eq!(
            error,
            "training needs 1025 MiB of address space, including 66 MiB for each of 4 threads, but ulimit -v allows only \
             1024 MiB; choose less, or raise that limit"
        );
    }
}
