//! The page: template, style, script and data in one file.

use std::io::{self, Write};

use minijinja::{Environment, Value, context};

use super::Model;

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
pub fn page(model: &Model, output: &mut dyn Write) -> Result<(), PageError> {
    let mut templates = Environment::empty();
    templates.add_template("page.html", include_str!("page.html"))?;
    let safe = |text: &str| Value::from_safe_string(text.to_owned());
    let text = templates.get_template("page.html")?.render(context! {
        title => title(model),
        style => safe(include_str!("page.css")),
        script => safe(include_str!("page.js")),
        data => safe(&for_script(&serde_json::to_string(model)?)),
        texts => safe(&for_script(&serde_json::to_string(&model.texts)?)),
    })?;
    Ok(output.write_all(text.as_bytes())?)
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
    format!("sockeye: {} cases on {}", model.rows.len(), shown.join(", "))
}

/// JSON that no HTML parser takes for the end of its script, or for the beginning of a comment:
/// a `<` stands in strings alone.
fn for_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}
