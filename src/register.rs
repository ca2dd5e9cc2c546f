//! The operator's register and lexicon: their files, and the engine made of them.
//!
//! The engine reads no files; this room hands it their names and texts. `docs/register.md` describes the files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::grpc::Extract;
use crate::metrics::Reloaded;
use crate::renew::{Renewable, Source};
use crate::{config, files};
use jianbao_engine::report::Report;
use jianbao_engine::{Bulletin, Engine};
use jianbao_engine::{OperatorText, Problems, SourceFile};

/// Longest register, in bytes.
pub const MAX_REGISTER_BYTES: u64 = 16 << 20;
/// Longest table of a lexicon, in bytes.
pub const MAX_TABLE_BYTES: u64 = 1 << 20;
/// The settings that name them.
const INSTITUTIONS: &str = "institutions";
const LEXICON: &str = "lexicon";
/// Most tables of a lexicon.
pub const MAX_TABLES: usize = 64;

/// Where the operator's files are.
#[derive(Clone, Debug, Default)]
pub struct Places {
    institutions: Option<PathBuf>,
    lexicon: Option<PathBuf>,
}

impl clap::Args for Places {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args([INSTITUTIONS, LEXICON].into_iter().filter_map(config::named).map(config::Setting::arg))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Places {
    fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        let path = |name| matches.get_one::<String>(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        Ok(Self::new(path(INSTITUTIONS), path(LEXICON)))
    }

    fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Places {
    /// These places; either may be none.
    #[must_use]
    pub fn new(institutions: Option<PathBuf>, lexicon: Option<PathBuf>) -> Self {
        Self { institutions, lexicon }
    }

    /// The engine with what the files say now.
    ///
    /// # Errors
    /// All problems of all files.
    pub fn engine(&self) -> Result<Engine, Problems> {
        let (sources, mut problems) = self.read();
        match Engine::with(&sources) {
            Ok(engine) => problems.into_result().map(|()| engine),
            Err(found) => {
                problems.append(found);
                problems.into_result().and_then(|()| Err(Problems::of_file("", "the lexicon does not load")))
            }
        }
    }

    /// The files that can be read, and the problems of those that cannot.
    fn read(&self) -> (OperatorText, Problems) {
        let (mut sources, mut problems) = (OperatorText::default(), Problems::default());
        if let Some(path) = &self.institutions {
            sources.register = read(path, &path.display().to_string(), MAX_REGISTER_BYTES, &mut problems);
        }
        if let Some(dir) = &self.lexicon {
            let paths = tables(dir, &mut problems);
            let file = |path: &PathBuf| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                read(path, &name, MAX_TABLE_BYTES, &mut problems)
            };
            sources.tables = paths.iter().filter_map(file).collect();
        }
        (sources, problems)
    }
}

/// The tables in a folder, by name.
fn tables(dir: &Path, problems: &mut Problems) -> Vec<PathBuf> {
    let shown = dir.display().to_string();
    let listed = std::fs::read_dir(dir).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>());
    let mut paths = match listed {
        Ok(paths) => paths,
        Err(error) => {
            problems.add(&shown, 0, "", format!("cannot be read: {error}"));
            return Vec::new();
        }
    };
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml") && !hidden(path) && !path.is_dir());
    paths.sort();
    if paths.is_empty() {
        problems.add(&shown, 0, "", "holds no table: no file whose name ends in .toml");
    }
    if paths.len() > MAX_TABLES {
        problems.add(&shown, 0, "", format!("holds {} tables, at most {MAX_TABLES} are allowed", paths.len()));
        paths.truncate(MAX_TABLES);
    }
    paths
}

/// A file with its text, unless it cannot be read.
fn read(path: &Path, name: &str, most: u64, problems: &mut Problems) -> Option<SourceFile> {
    let text = files::text(path, most).map_err(|wrong| problems.add(name, wrong.line, "", wrong.message)).ok()?;
    Some(SourceFile { name: name.to_owned(), text })
}

impl Source for Places {
    type Made = Engine;
    type Problems = Problems;
    const WHAT: Reloaded = Reloaded::Lexicon;
    const NAME: &'static str = "register and lexicon";

    fn make(&self) -> Result<Engine, Problems> {
        self.engine()
    }

    fn describe(engine: &Engine) -> String {
        let lexicon = engine.lexicon();
        format!("{} institutions, lexicon {}", lexicon.tables().register.rows().len(), lexicon.digest())
    }
}

impl Extract for Renewable<Places> {
    fn extract(&self, bulletin: &Bulletin) -> Report {
        self.current().extract(bulletin)
    }

    /// Calls in flight finish on the engine they began with.
    fn for_call(&self) -> Option<Arc<dyn Extract>> {
        Some(self.current())
    }
}
