//! docksec's main.json: commands that are switched off, as rules that deny.

use std::fmt::Write;

use policy::{Diagnostics, NamedText};

use super::quoted;

/// Puts it into our words. What may not mean what was meant is told when these are loaded.
pub fn import(file: &NamedText) -> Result<String, Diagnostics> {
    let read = policy::docksec::read(file)?;
    let mut text = format!(
        "# Made by `dockwarden import docksec` from {}.\n# What it does not name passes, as there: whoever may create containers \
         has the host.\n# With another preset than `open` they do not (docs/presets.md).\n",
        comment(&file.name)
    );
    if read.editor.is_some() {
        text.push_str("#\n# Not carried over:\n# - handler.editor: it opens nothing; say `dockwarden rules add`\n");
    }
    text.push('\n');
    if read.socket {
        text.push_str("# plugin.socket\nplugin: { socket: /run/docker/plugins/docksec.sock }\n");
    } else if let Some(port) = read.port {
        let _ = write!(
            text,
            "# plugin.port: {port}\n# The daemon asked at this port of 127.0.0.1, without TLS. A plugin at an address of ours \
             has TLS (docs/plugin.md);\n# its file itself can be used for that: `policy: {{ docksec: FILE }}`.\n"
        );
    }
    text.push_str("policy:\n  preset: open\n  rules:");
    let denied: Vec<_> = read.commands.iter().filter(|entry| !entry.allow).collect();
    if denied.is_empty() {
        text.push_str(" []");
    }
    text.push('\n');
    for entry in denied {
        let (line, column) = entry.at();
        let _ = writeln!(text, "    # {}:{line}:{column}", comment(&file.name));
        let _ = writeln!(text, "    - deny: {}", quoted(&entry.written));
        let switched_off = format!("docker {} is switched off", entry.written);
        let message = entry.message.as_ref().filter(|message| !message.is_empty()).unwrap_or(&switched_off);
        let _ = writeln!(text, "      message: {}", quoted(message));
        if let Some(note) = entry.note.as_ref().filter(|note| !note.is_empty()) {
            let _ = writeln!(text, "      note: {}", quoted(note));
        }
        if !read.describes {
            text.push_str("      quiet: true\n");
        }
    }
    for entry in read.commands.iter().filter(|entry| entry.allow) {
        let (line, _) = entry.at();
        let _ = writeln!(
            text,
            "    # {}:{line}: {} is allowed there, and not denied here",
            comment(&file.name),
            comment(&entry.written)
        );
    }
    Ok(text)
}

/// A text that stays in its line.
fn comment(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}
