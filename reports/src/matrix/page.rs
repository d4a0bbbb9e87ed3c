//! The page: template, style, script and data in one file.

use std::io::{self, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::{AutoEscape, Environment, Value, context};
use sha2::{Digest as _, Sha256};

use super::Model;
use crate::text::one_line;

/// What stands at the beginning of every page: by it one is known as ours.
pub const GENERATOR: &str = "<meta name=\"generator\" content=\"sockeye\">";

/// Why a page could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The data cannot be said as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The template is wrong.
    #[error(transparent)]
    Template(#[from] minijinja::Error),
    /// It cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes the page.
///
/// Whatever stands in it is escaped unless it is ours: `Environment::empty` has no escaping of its own,
/// by which a kernel's release once stood in the title as it was. Should anything of others' become
/// a script or a style all the same, the browser runs none but the two whose hashes the page names
/// (CSP level 3 §6.7.3.3).
pub fn page(model: &Model, output: &mut dyn Write) -> Result<(), PageError> {
    let mut templates = Environment::empty();
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.add_template("page.html", include_str!("page.html"))?;
    let safe = |text: &str| Value::from_safe_string(text.to_owned());
    // What stands between the tags, to the byte.
    let own = |text: &str| format!("\n{text}");
    let (style, script) = (own(include_str!("page.css")), own(include_str!("page.js")));
    let text = templates.get_template("page.html")?.render(context! {
        generator => safe(GENERATOR),
        title => title(model),
        style_hash => safe(&hash(&style)),
        script_hash => safe(&hash(&script)),
        style => safe(&style),
        script => safe(&script),
        data => safe(&for_script(&serde_json::to_string(model)?)),
        texts => safe(&for_script(&serde_json::to_string(&model.texts)?)),
    })?;
    Ok(output.write_all(text.as_bytes())?)
}

/// As a source of a Content-Security-Policy.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// How many cases on what.
fn title(model: &Model) -> String {
    let mut shown: Vec<String> = Vec::new();
    for column in &model.columns {
        let system = format!("{} {}", column.system, column.build).trim_end().to_owned();
        if !shown.contains(&system) {
            shown.push(system);
        }
    }
    one_line(&format!("sockeye: {} cases on {}", model.rows.len(), shown.join(", ")), 300)
}

/// JSON that no HTML parser takes for the end of its script, or for the beginning of a comment:
/// a `<` stands in strings alone.
fn for_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}
