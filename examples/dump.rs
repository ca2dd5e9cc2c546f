//! dev: dump reports
use jianbao::engine::{Bulletin, Engine, report::OffsetEncoding};
fn main() {
    let engine = Engine::new().unwrap();
    let mut args = std::env::args().skip(1);
    let out = args.next().unwrap();
    for path in args {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = std::path::Path::new(&path).file_stem().unwrap().to_string_lossy().to_string();
        let mut report = engine.extract(&Bulletin { id: name.clone(), text: text.clone(), ..Default::default() });
        report.encode_offsets(&text, OffsetEncoding::Utf32);
        std::fs::write(format!("{out}/{name}.json"), serde_json::to_string(&report).unwrap()).unwrap();
    }
}
