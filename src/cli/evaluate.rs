//! `jianbao evaluate`: bulletins with gold files in, scores out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use super::extract::read;
use super::style::left;
use super::{Console, Exit, Failure, engine};
use crate::register::Places;
use jianbao_engine::report::OffsetEncoding;
use jianbao_engine::{Bulletin, Engine};
use jianbao_evaluate::{Gold, Ratio, Scores, Tally, score};

/// What a gold file's name ends with; its bulletin's ends with `.txt`.
const GOLD: &str = ".gold.json";
/// Broken invariants shown without `--errors`.
const BROKEN_SHOWN: usize = 10;

/// What to score.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders with NAME.txt and NAME.gold.json (searched to the bottom), or gold files
    #[arg(required = true, value_name = "DIR")]
    gold: Vec<PathBuf>,
    /// Print the scores as JSON instead of a table
    #[arg(long)]
    json: bool,
    /// List every disagreement with the gold (on the standard error with --json)
    #[arg(long)]
    errors: bool,
    /// Exit with 1 if the score KEY is below FLOOR or an invariant is broken; may be repeated
    #[arg(long = "min", value_name = "KEY=FLOOR", value_parser = floor)]
    floors: Vec<Floor>,
    #[command(flatten)]
    places: Places,
}

/// A score that must be reached.
#[derive(Clone, Debug)]
struct Floor {
    key: String,
    least: Ratio,
    /// The floor as the caller wrote it.
    written: String,
}

fn floor(text: &str) -> Result<Floor, String> {
    let (key, written) = text.split_once('=').ok_or("not of the form KEY=FLOOR")?;
    let least = Ratio::parse(written).ok_or("the floor is no decimal such as 0.95")?;
    Ok(Floor { key: key.to_owned(), least, written: written.to_owned() })
}

/// The scores of all bulletins and of each.
#[derive(Debug, Serialize)]
struct Evaluation {
    total: Scores,
    bulletins: Rows,
}

/// Scores by bulletin, in the order they were read.
#[derive(Debug, Default)]
struct Rows(Vec<(String, Scores)>);

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, scores) in &self.0 {
            map.serialize_entry(name, scores)?;
        }
        map.end()
    }
}

/// Reads every bulletin beside a gold file and prints how well it was read.
///
/// # Errors
/// When the output fails.
pub fn run(args: &Args, console: &mut Console<'_>) -> io::Result<Exit> {
    let (evaluation, tally) = match evaluate(args) {
        Ok(done) => done,
        Err(failure) => {
            console.complain(&failure)?;
            return Ok(failure.exit);
        }
    };
    if args.json {
        write_json(&evaluation, console)?;
    } else {
        write_table(&evaluation, console)?;
    }
    let list = if args.json { &mut *console.err } else { &mut *console.out };
    let broken = if args.errors {
        usize::MAX
    } else if args.json {
        0
    } else {
        BROKEN_SHOWN
    };
    for mistake in tally.mistakes.iter().filter(|_| args.errors) {
        writeln!(list, "{mistake}")?;
    }
    for line in tally.broken.iter().take(broken) {
        writeln!(list, "BROKEN {line}")?;
    }
    below(&args.floors, &evaluation.total, console)
}

/// Scores every bulletin.
fn evaluate(args: &Args) -> Result<(Evaluation, Tally), Failure> {
    let engine = engine(&args.places)?;
    let (mut total, mut rows) = (Tally::default(), Rows::default());
    for path in gold_files(&args.gold)? {
        let name = name_of(&path);
        let tally = one(&engine, &path, &name)?;
        let scores = tally.scores();
        match rows.0.iter_mut().find(|(known, _)| *known == name) {
            Some(row) => row.1 = scores,
            None => rows.0.push((name, scores)),
        }
        total.add(&tally);
    }
    if rows.0.is_empty() {
        return Err(Failure::new(Exit::NoInput, "no gold files (NAME.gold.json beside NAME.txt) were found"));
    }
    let total_scores = total.scores();
    if let Some(floor) = args.floors.iter().find(|floor| total_scores.get(&floor.key).is_none()) {
        return Err(Failure::new(
            Exit::Usage,
            format!("`{}` is no score; try `figures`, `measures.recall` or `attributes.metric`", floor.key),
        ));
    }
    Ok((Evaluation { total: total_scores, bulletins: rows }, total))
}

/// Scores one bulletin.
fn one(engine: &Engine, path: &Path, name: &str) -> Result<Tally, Failure> {
    let bad = |faults: &[String]| Failure::new(Exit::BadData, format!("{}: {}", path.display(), faults.join("; ")));
    let json = read(path)?;
    let text = unified_breaks(&read(&path.with_file_name(format!("{name}.txt")))?);
    let gold = Gold::parse(&json, &text).map_err(|faults| bad(&faults))?;
    let bulletin = Bulletin { id: name.to_owned(), text, ..Bulletin::default() };
    let mut report = engine.extract(&bulletin);
    report.encode_offsets(&bulletin.text, OffsetEncoding::Utf32);
    let mut tally = Tally::default();
    score(&bulletin.text, &gold, &report, &mut tally);
    for line in tally.mistakes.iter_mut().chain(&mut tally.broken) {
        line.insert_str(0, &format!("{name}: "));
    }
    Ok(tally)
}

/// The gold files in `places`, sorted.
fn gold_files(places: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut out = Vec::new();
    for place in places {
        let metadata = fs::metadata(place).map_err(|error| unreadable(place, &error))?;
        if metadata.is_dir() {
            search(place, &mut out)?;
        } else {
            out.push(place.clone());
        }
    }
    out.sort();
    Ok(out)
}

/// Adds the gold files below `dir`; links to folders are not followed.
fn search(dir: &Path, out: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let cannot = |error: io::Error| unreadable(dir, &error);
    for entry in fs::read_dir(dir).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        if entry.file_type().map_err(cannot)?.is_dir() {
            search(&entry.path(), out)?;
        } else if entry.file_name().to_string_lossy().ends_with(GOLD) {
            out.push(entry.path());
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::NoInput, format!("{}: {error}", path.display()))
}

fn name_of(path: &Path) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    file.strip_suffix(GOLD).unwrap_or(&file).to_owned()
}

/// Annotators see every line break as one character.
fn unified_breaks(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn write_json(evaluation: &Evaluation, console: &mut Console<'_>) -> io::Result<()> {
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
    evaluation.serialize(&mut serde_json::Serializer::with_formatter(&mut *console.out, formatter))?;
    writeln!(console.out)
}

fn write_table(evaluation: &Evaluation, console: &mut Console<'_>) -> io::Result<()> {
    let (paint, total) = (console.paint, &evaluation.total);
    let header = format!(
        "{} {:>8} {:>8} {:>8} {:>8} {:>8} {:>7}",
        left("bulletin", 34),
        "inst F1",
        "fig F1",
        "strict",
        "meas F1",
        "find F1",
        "broken"
    );
    writeln!(console.out, "{}", paint.bold(&header))?;
    let rows = evaluation.bulletins.0.iter().map(|(name, scores)| (name.as_str(), scores));
    for (name, scores) in rows.chain([("ALL", total)]) {
        let cells: Vec<String> = scores.kinds().iter().map(|(_, score)| format!("{:>8}", score.f1.fixed(4))).collect();
        writeln!(console.out, "{} {} {:>7}", left(name, 34), cells.join(" "), scores.invariants_broken)?;
    }
    writeln!(console.out, "\n{}", paint.bold("precision / recall / gold items"))?;
    for (kind, score) in total.kinds() {
        writeln!(console.out, "  {kind:14} {} / {} / {}", score.precision.fixed(4), score.recall.fixed(4), score.gold)?;
    }
    writeln!(console.out, "{}", paint.bold("accuracy by attribute (over matched items)"))?;
    for (attribute, accuracy) in &total.attributes {
        writeln!(console.out, "  {attribute:28} {}", accuracy.fixed(4))?;
    }
    Ok(())
}

/// Tells which floors are missed.
fn below(floors: &[Floor], total: &Scores, console: &mut Console<'_>) -> io::Result<Exit> {
    let mut short: Vec<String> = floors
        .iter()
        .filter_map(|floor| total.get(&floor.key).map(|score| (floor, score)))
        .filter(|(floor, score)| *score < floor.least)
        .map(|(floor, score)| format!("{} {} < {}", floor.key, score.fixed(4), floor.written))
        .collect();
    if !floors.is_empty() && total.invariants_broken > 0 {
        short.push(format!("{} invariants broken", total.invariants_broken));
    }
    if short.is_empty() {
        return Ok(Exit::Ok);
    }
    console.complain(&Failure::new(Exit::BelowFloor, format!("below the floor: {}", short.join("; "))))?;
    Ok(Exit::BelowFloor)
}
