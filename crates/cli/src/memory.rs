//! The memory that a run needs, compared with what there is, before it begins.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};

/// Refuses runs, so many at a time, that need more than there is. Where the system does not say what there is, none.
///
/// # Errors
/// If they do not fit.
pub(crate) fn check(each: u64, runs: usize) -> Result<()> {
    let needed = each.saturating_mul(runs as u64);
    match available(Path::new("/")) {
        Some(available) if needed > available => Err(Error::input(format!(
            "an update needs {} of memory or more{}, and {} are available; choose a smaller batch or width, larger chunks, \
             or fewer runs at a time (--threads)",
            mib(needed),
            if runs > 1 { format!(" in {runs} runs at a time") } else { String::new() },
            mib(available),
        ))),
        _ => Ok(()),
    }
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

/// Bytes that Linux can give, with what it can move to disk: of the machine, and of this process's control group.
fn available(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let bytes = |name: &str| line(name)?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024);
    let swap = bytes("SwapFree").unwrap_or(0);
    let machine = bytes("MemAvailable")?;
    Some(limit(root).map_or(machine, |limit| limit.min(machine)).saturating_add(swap))
}

/// The smallest limit of the control groups that this process is in, of either version.
fn limit(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let files = groups.lines().flat_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, group) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (folder, file) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max"),
            _ => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        };
        let memory = controllers.is_empty() || controllers.split(',').any(|controller| controller == "memory");
        let parents = Path::new(group.trim_start_matches('/')).ancestors();
        let paths = parents.map(move |group| root.join(folder).join(group).join(file));
        paths.filter(move |_| memory).collect::<Vec<_>>()
    });
    files.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with 4000 MiB available and 96 MiB of swap, in these control groups.
    fn machine(groups: &str, limits: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().expect("a temporary folder");
        let memory = "MemTotal:   9000000 kB\nMemAvailable:   4096000 kB\nSwapTotal: 200000 kB\nSwapFree:  98304 kB\n";
        let files = [("proc/meminfo", memory), ("proc/self/cgroup", groups)];
        for (path, text) in files.iter().chain(limits) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("in the folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        available(root.path()).map(|bytes| bytes >> 20)
    }

    #[test]
    fn the_smallest_limit_counts() {
        assert_eq!(machine("0::/\n", &[]), Some(4096));
        assert_eq!(machine("0::/a/b\n", &[("sys/fs/cgroup/a/b/memory.max", "max\n")]), Some(4096));
        assert_eq!(machine("0::/a/b\n", &[("sys/fs/cgroup/a/b/memory.max", "1073741824\n")]), Some(1120));
        assert_eq!(machine("0::/a/b\n", &[("sys/fs/cgroup/a/memory.max", "1073741824\n")]), Some(1120));
        assert_eq!(machine("0::/other\n", &[("sys/fs/cgroup/a/memory.max", "1073741824\n")]), Some(4096));
        let old = "5:cpu,cpuacct:/a\n4:memory:/a\n";
        assert_eq!(machine(old, &[("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "2147483648\n")]), Some(2144));
        assert_eq!(
            machine(old, &[("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")]),
            Some(4096)
        );
    }

    #[test]
    fn a_system_that_does_not_say_has_no_limit() {
        let root = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(available(root.path()), None);
    }

    #[test]
    fn what_needs_nothing_fits() {
        assert!(check(0, 5).is_ok());
    }
}
