//! `jianbao extract`: files in, reports out.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::{Console, Exit, Failure, csv, engine, json, table};
use crate::files;
use crate::register::Places;
use jianbao_engine::Bulletin;
use jianbao_engine::recognize::date::Day;
use jianbao_engine::report::{OffsetEncoding, Report};

/// What to read, and how to print it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Bulletins as UTF-8 text, `-` for the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to print the reports
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// What offsets count in JSON and CSV
    #[arg(long, value_enum, default_value_t = Offsets::Utf32, value_name = "ENCODING")]
    offset_encoding: Offsets,
    /// Show the rules and words behind each measure and figure (in the table)
    #[arg(long)]
    explain: bool,
    /// Who published the bulletins, where the text does not say or is wrong
    #[arg(long, value_name = "NAME")]
    publisher: Option<String>,
    /// When they were published, as YYYY-MM-DD
    #[arg(long, value_name = "DATE", value_parser = iso_date)]
    published_on: Option<String>,
    /// Write NAME.json here for each NAME.txt, and print nothing
    #[arg(long, value_name = "DIR", conflicts_with_all = ["format", "explain"])]
    output_dir: Option<PathBuf>,
    #[command(flatten)]
    places: Places,
}

/// How reports are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A page for a person, by institution
    Table,
    /// The service's answer in proto3 JSON; an array if there are several files
    Json,
    /// The same, one report on a line
    Jsonl,
    /// A row for each figure
    Csv,
}

/// What offsets count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Offsets {
    /// Unicode code points
    Utf32,
    /// UTF-16 code units
    Utf16,
    /// UTF-8 bytes
    Utf8,
}

impl From<Offsets> for OffsetEncoding {
    fn from(offsets: Offsets) -> Self {
        match offsets {
            Offsets::Utf32 => Self::Utf32,
            Offsets::Utf16 => Self::Utf16,
            Offsets::Utf8 => Self::Utf8,
        }
    }
}

fn iso_date(text: &str) -> Result<String, String> {
    Day::parse(text).map(|_| text.to_owned()).ok_or_else(|| "no date of the form YYYY-MM-DD".to_owned())
}

/// Reads every file and prints its report. A file that cannot be read is told of and passed over; the
/// first such failure is the exit code.
///
/// # Errors
/// When the output fails.
pub fn run(args: &Args, console: &mut Console<'_>) -> io::Result<Exit> {
    let (engine, names) = match (engine(&args.places), names(&args.files)) {
        (Ok(engine), Ok(names)) => (engine, names),
        (Err(failure), _) | (_, Err(failure)) => return fail(console, &failure),
    };
    if args.explain && args.format != Format::Table {
        return fail(console, &Failure::new(Exit::Usage, "`--explain` goes with `--format table` alone"));
    }
    if args.format == Format::Csv && args.output_dir.is_none() {
        csv::write_header(console.out)?;
    }
    let mut exit = Exit::Ok;
    let mut array = Vec::new();
    for (index, (path, name)) in args.files.iter().zip(names).enumerate() {
        let read = read(path).map(|text| {
            let bulletin = Bulletin {
                id: name,
                text,
                publisher: args.publisher.clone().unwrap_or_default(),
                published_on: args.published_on.clone().unwrap_or_default(),
                ..Bulletin::default()
            };
            (engine.extract(&bulletin), bulletin)
        });
        let printed = match read {
            Ok((report, bulletin)) => print(args, index, report, &bulletin, &mut array, console)?,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = printed {
            console.complain(&failure)?;
            exit = if exit == Exit::Ok { failure.exit } else { exit };
        }
    }
    if args.format == Format::Json && args.files.len() > 1 {
        json::write_all(&array, console.out)?;
    }
    Ok(exit)
}

fn fail(console: &mut Console<'_>, failure: &Failure) -> io::Result<Exit> {
    console.complain(failure)?;
    Ok(failure.exit)
}

/// Prints one report, or keeps it for the array that several files make.
fn print(
    args: &Args,
    index: usize,
    mut report: Report,
    bulletin: &Bulletin,
    array: &mut Vec<Report>,
    console: &mut Console<'_>,
) -> io::Result<Result<(), Failure>> {
    if args.output_dir.is_some() || args.format != Format::Table {
        report.encode_offsets(&bulletin.text, args.offset_encoding.into());
    }
    if let Some(dir) = &args.output_dir {
        return Ok(save(dir, &report));
    }
    match args.format {
        Format::Table => {
            if index > 0 {
                writeln!(console.out)?;
            }
            let style = table::Style { paint: console.paint, explain: args.explain };
            table::write(&report, &bulletin.text, style, console.out)?;
        }
        Format::Json if args.files.len() > 1 => array.push(report),
        Format::Json => json::write(&report, console.out)?,
        Format::Jsonl => json::write_line(&report, console.out)?,
        Format::Csv => csv::write(&report, console.out)?,
    }
    Ok(Ok(()))
}

/// Writes `NAME.json` into `dir`, which is made if it is not there.
fn save(dir: &Path, report: &Report) -> Result<(), Failure> {
    let path = dir.join(format!("{}.json", report.bulletin_id));
    let cannot = |error: io::Error| Failure::new(Exit::CannotCreate, format!("{}: {error}", path.display()));
    fs::create_dir_all(dir).map_err(cannot)?;
    let mut json = Vec::new();
    json::write(report, &mut json).and_then(|()| files::write_whole(&path, &json)).map_err(cannot)
}

/// The bulletins' names: a file's name without its extension, `stdin` for the standard input.
fn names(files: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::with_capacity(files.len());
    for path in files {
        let name = if is_stdin(path) { "stdin".into() } else { path.file_stem().unwrap_or_default().to_string_lossy().into_owned() };
        if !seen.insert(name.clone()) {
            return Err(Failure::new(Exit::Usage, format!("{}: a bulletin named `{name}` is already given", path.display())));
        }
        out.push(name);
    }
    Ok(out)
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// A file's text.
///
/// # Errors
/// When it cannot be read or is not UTF-8.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    let shown = if is_stdin(path) { "standard input".into() } else { path.to_string_lossy() };
    if !is_stdin(path) && fs::metadata(path).is_ok_and(|file| !file.is_file() && !file.is_dir()) {
        return Err(Failure::new(Exit::NoInput, format!("{shown}: is no regular file; `-` reads the standard input")));
    }
    let mut bytes = Vec::new();
    let read = if is_stdin(path) { io::stdin().lock().read_to_end(&mut bytes).map(drop) } else { fs::read(path).map(|read| bytes = read) };
    read.map_err(|error| Failure::new(Exit::NoInput, format!("{shown}: {error}")))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(Exit::BadData, format!("{shown}: not UTF-8 at byte {at} (GB18030 text can be converted with iconv)"))
    })
}
