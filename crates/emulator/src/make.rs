//! Builds an emulator's folder: the driver, NVRTC, and a library for each module and scalar type.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::compiler::{Compiler, Sanitizer};
use crate::parts::{Part, Parts, hash, unfinished};
use crate::source::{self, Source};
use crate::{BuildError, Fault, Options, file, read, repository};

/// A folder with an emulator.
#[derive(Clone, Debug)]
pub struct Built {
    folder: PathBuf,
    pub(crate) sanitizer: Sanitizer,
    pub(crate) preloaded: Option<PathBuf>,
}

impl Built {
    /// The folder for `LD_LIBRARY_PATH`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The program of [`Options::program`].
    pub fn program(&self) -> PathBuf {
        self.folder.join("program")
    }
}

const DRIVER: [&str; 15] = [
    "barriers",
    "copies",
    "divergence",
    "driver",
    "errors",
    "events",
    "fiber",
    "grid",
    "launches",
    "memory",
    "order",
    "report",
    "shared",
    "streams",
    "threads",
];
const NVRTC: [&str; 2] = ["nvrtc", "report"];

pub(crate) fn build(options: &Options) -> Result<Built, BuildError> {
    if !cfg!(target_os = "linux") {
        return Err(BuildError::System);
    }
    // The tests of a program build the same emulator at the same time.
    static ONE: Mutex<()> = Mutex::new(());
    // Folders with faults all differ, so they need no lock.
    let _one = options.faults.is_empty().then(|| ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    let compiler = Compiler::find(options.sanitizer)?;
    let preloaded = compiler.preloaded()?;
    let root = options.folder.clone().unwrap_or_else(default_folder);
    let parts = Parts { folder: root.join("parts") };
    let host = Host::read(&compiler)?;
    let mut files: BTreeMap<String, String> = BTreeMap::new(); // the name in the folder, and the name of its part

    let objects: BTreeMap<&str, Part<'_>> =
        DRIVER.iter().chain(&NVRTC).map(|&name| (name, host.object(name))).collect();
    let driver: Vec<_> = DRIVER.iter().map(|name| objects[name].name.clone()).collect();
    let nvrtc: Vec<_> = NVRTC.iter().map(|name| objects[name].name.clone()).collect();
    let mut first: Vec<_> = objects.into_values().collect();
    for (name, text) in modules(options)? {
        for scalar in &options.scalars {
            let part = host.module(&name.file(scalar), &name.defines(scalar), &text);
            files.insert(format!("{}.so", name.file(scalar)), part.name.clone());
            first.push(part);
        }
    }
    let mut second = vec![host.library("libcuda.so", &parts, &driver, options.without.as_deref())];
    files.insert("libcuda.so".into(), second[0].name.clone());
    if options.nvrtc {
        let part = host.library("libnvrtc.so", &parts, &nvrtc, None);
        files.insert("libnvrtc.so".into(), part.name.clone());
        second.push(part);
    }
    let mut third = Vec::new();
    if let Some(path) = &options.program {
        let part = host.program(path, &parts, &files["libcuda.so"])?;
        files.insert("program".into(), part.name.clone());
        third.push(part);
    }
    let folder = root.join(hash(&files));
    if !folder.exists() {
        for parts_of_a_stage in [&first, &second, &third] {
            parts.make(parts_of_a_stage)?;
        }
        assemble(&parts, &files, &folder)?;
    }
    Ok(Built { folder, sanitizer: options.sanitizer, preloaded })
}

/// Creates the folder under a temporary name, and renames it.
fn assemble(parts: &Parts, files: &BTreeMap<String, String>, folder: &Path) -> Result<(), BuildError> {
    let new = unfinished(folder);
    fs::create_dir_all(&new).map_err(|error| file(&new, &error))?;
    for (name, part) in files {
        let (from, to) = (parts.path(part), new.join(name));
        fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop)).map_err(|error| file(&to, &error))?;
    }
    let renamed = fs::rename(&new, folder);
    fs::remove_dir_all(&new).ok();
    // If another process was faster, its folder is the same.
    if folder.exists() { Ok(()) } else { renamed.map_err(|error| file(folder, &error)) }
}

/// Returns `target/emulator` of the running program, or a temporary folder.
fn default_folder() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let target = program.ancestors().find(|path| path.join("CACHEDIR.TAG").exists() || path.ends_with("target"));
    target.map_or_else(|| env::temp_dir().join("gradus-emulator"), |path| path.join("emulator"))
}

/// A module with its defines.
struct Name {
    module: String,
    defines: BTreeMap<String, String>,
}

impl Name {
    /// The file name without its ending, as in `kernels/host/nvrtc.cpp`.
    fn file(&self, scalar: &str) -> String {
        let defines: String = self.defines.iter().map(|(name, value)| format!("_{name}-{value}")).collect();
        format!("{}_{scalar}{defines}", self.module)
    }

    fn defines(&self, scalar: &str) -> Vec<String> {
        let own = self.defines.iter().map(|(name, value)| format!("-D{name}={value}"));
        own.chain([format!("-DREAL={scalar}")]).collect()
    }
}

/// Returns all modules as C++, with the faults planted.
fn modules(options: &Options) -> Result<Vec<(Name, String)>, BuildError> {
    let entries = fs::read_dir(&options.kernels).map_err(|error| file(&options.kernels, &error))?;
    let plain = |name: &String| options.modules.as_ref().is_none_or(|wanted| wanted.contains(name));
    let varied = |name: &String| options.variants.iter().any(|variant| variant.module == *name);
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".cu")?.to_string()))
        .filter(|name| plain(name) || varied(name))
        .collect();
    names.sort();
    for wanted in options.modules.iter().flatten().chain(options.variants.iter().map(|variant| &variant.module)) {
        if !names.contains(wanted) {
            return Err(BuildError::Source(format!("there is no {wanted}.cu in {}", options.kernels.display())));
        }
    }
    for Fault { file, .. } in &options.faults {
        if file != "common.cuh" && !file.strip_suffix(".cu").is_some_and(|name| names.iter().any(|n| n == name)) {
            return Err(BuildError::Source(format!("a mistake is to be planted into {file}, which is not built")));
        }
    }
    let common = match options.kernels.join("common.cuh") {
        path if path.exists() => plant_faults("common.cuh", read(&path)?, &options.faults)?,
        _ => String::new(),
    };
    let common = source::parse("common.cuh", &common)?;
    let mut all = Vec::new();
    for module in names {
        let name = format!("{module}.cu");
        let text = plant_faults(&name, read(&options.kernels.join(&name))?, &options.faults)?;
        let text = assemble_cpp(&name, &common, &source::parse(&name, &text)?);
        let variants = options.variants.iter().filter(|variant| variant.module == module);
        let defines = variants.map(|variant| variant.defines.iter().cloned().collect());
        for defines in plain(&module).then(BTreeMap::new).into_iter().chain(defines) {
            all.push((Name { module: module.clone(), defines }, text.clone()));
        }
    }
    Ok(all)
}

fn plant_faults(name: &str, text: String, faults: &[Fault]) -> Result<String, BuildError> {
    let mut text = text;
    for fault in faults.iter().filter(|fault| fault.file == name) {
        let found = text.matches(&fault.text).count();
        if found != 1 {
            return Err(BuildError::Source(format!("{name} has {:?} {found} times, not once", fault.text)));
        }
        text = text.replacen(&fault.text, &fault.replacement, 1);
    }
    Ok(text)
}

/// Assembles the C++ file of a module.
fn assemble_cpp(name: &str, common: &Source, own: &Source) -> String {
    let rows: String = own
        .kernels
        .iter()
        .map(|kernel| format!("    emulator::Caller<{0}>::entry(\"{0}\", unsigned({1})),\n", kernel.name, kernel.bound))
        .collect();
    format!(
        "#include \"language/cuda.h\"\n#include \"table.h\"\nnamespace kernels {{\n\
         #line 1 \"kernels/common.cuh\"\n{}\n#line 1 \"kernels/{name}\"\n{}\n#line 1 \"table\"\n\
         constexpr emulator::Kernel table[] = {{\n{rows}    {{}},\n}};\n}}\n\
         extern \"C\" __attribute__((visibility(\"default\"))) const emulator::Kernel* emulator_kernels() {{\n    \
         return kernels::table;\n}}\n",
        common.text, own.text
    )
}

/// The folder `kernels/host`, and the compiler for it.
struct Host<'a> {
    compiler: &'a Compiler,
    folder: PathBuf,
    /// The text of all headers, which is part of every key.
    headers: String,
}

impl<'a> Host<'a> {
    fn read(compiler: &'a Compiler) -> Result<Self, BuildError> {
        let folder = repository().join("kernels/host");
        let mut headers = String::new();
        for folder in [folder.clone(), folder.join("language")] {
            let entries = fs::read_dir(&folder).map_err(|error| file(&folder, &error))?;
            let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            paths.sort();
            for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "h")) {
                headers += &read(path)?;
            }
        }
        Ok(Self { compiler, folder, headers })
    }

    fn key(&self, flags: &[String], text: &str) -> String {
        hash(&(&self.compiler.path, &self.compiler.version, flags, &self.headers, text))
    }

    fn object(&self, name: &str) -> Part<'a> {
        let path = self.folder.join(format!("{name}.cpp"));
        let flags = self.compiler.for_driver();
        let text = fs::read_to_string(&path).unwrap_or_default(); // the compiler reports a missing file
        let key = self.key(&flags, &text);
        let compiler = self.compiler;
        let make = move |to: &Path| {
            let arguments = join_arguments(&flags, &["-c".as_ref(), path.as_ref(), "-o".as_ref(), to.as_ref()]);
            compiler.run(&path.display().to_string(), &arguments)
        };
        Part { name: format!("{name}-{key}.o"), make: Box::new(make) }
    }

    fn module(&self, name: &str, defines: &[String], text: &str) -> Part<'a> {
        let mut flags = self.compiler.for_kernels();
        flags.extend(defines.iter().cloned());
        flags.push(format!("-I{}", self.folder.display()));
        let key = self.key(&flags, text);
        let (compiler, what, text) = (self.compiler, format!("{name} ({})", defines.join(" ")), text.to_string());
        let make = move |to: &Path| {
            let cpp = to.with_extension("cpp");
            fs::write(&cpp, &text).map_err(|error| file(&cpp, &error))?;
            let arguments = join_arguments(&flags, &[cpp.as_ref(), "-o".as_ref(), to.as_ref()]);
            let done = compiler.run(&what, &arguments);
            fs::remove_file(&cpp).ok();
            done
        };
        Part { name: format!("{name}-{key}.so"), make: Box::new(make) }
    }

    /// Links objects to a library. It exports the functions of the driver and the scheduler, except `without`.
    fn library(&self, name: &str, parts: &Parts, objects: &[String], without: Option<&str>) -> Part<'a> {
        let key = hash(&(name, objects, without, &self.compiler.version));
        let compiler = self.compiler;
        let objects: Vec<PathBuf> = objects.iter().map(|object| parts.path(object)).collect();
        let local = without.map(|symbol| format!("local: {symbol}; ")).unwrap_or_default();
        let what = name.to_string();
        let make = move |to: &Path| {
            let script = to.with_extension("version");
            let text = format!("{{ global: cu*; nvrtc*; emulator_*; {local}}};\n");
            fs::write(&script, text).map_err(|error| file(&script, &error))?;
            let version = format!("-Wl,--version-script={}", script.display());
            let soname = format!("-Wl,-soname,{what}");
            let flags = ["-shared", "-pthread", "-Wl,-z,nodelete", &soname, &version].map(String::from);
            let mut arguments = join_arguments(&flags, &["-o".as_ref(), to.as_ref()]);
            arguments.extend(objects.iter().map(OsString::from));
            arguments.push("-ldl".into());
            let done = compiler.run(&what, &arguments);
            fs::remove_file(&script).ok();
            done
        };
        Part { name: format!("{name}-{key}"), make: Box::new(make) }
    }

    fn program(&self, path: &Path, parts: &Parts, driver: &str) -> Result<Part<'a>, BuildError> {
        let text = read(path)?;
        let flags = ["-std=c++17", "-O1", "-g1", "-Wl,--allow-shlib-undefined"].map(String::from).to_vec();
        let key = hash(&(self.key(&flags, &text), driver));
        let (compiler, path, driver) = (self.compiler, path.to_path_buf(), parts.path(driver));
        let make = move |to: &Path| {
            let arguments =
                join_arguments(&flags, &[path.as_ref(), driver.as_ref(), "-o".as_ref(), to.as_ref(), "-ldl".as_ref()]);
            compiler.run(&path.display().to_string(), &arguments)
        };
        Ok(Part { name: format!("program-{key}"), make: Box::new(make) })
    }
}

fn join_arguments(flags: &[String], more: &[&std::ffi::OsStr]) -> Vec<OsString> {
    flags.iter().map(OsString::from).chain(more.iter().map(OsString::from)).collect()
}
