//! dev
use jianbao::engine::{lexicon::Lexicon, source::SourceText, recognize};
fn main() {
    let lexicon = Lexicon::load().unwrap();
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let source = SourceText::new(&text);
    let hits = lexicon.scan(&source);
    for m in recognize::institution::institutions(&source, &hits, &lexicon) { println!("{:?} {} {:?} {} {:?}", m.form, m.name, m.kind, m.canonical, m.range); }
    for b in recognize::name::borrowers(&source, &hits, &lexicon, &[]) { println!("B {}", source.text(b.range)); }
    for h in hits.inside(0..source.len()) { println!("{} {:?}", source.text(h.range()), lexicon.senses(h)); }
}
