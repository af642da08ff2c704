//! What a bundle may define: `roots` of its manifest.

use std::sync::Arc;

use regorus::Value;

/// Paths below `data`, each of them with all that is below it; without any named, everything.
#[derive(Debug, Clone, Default)]
pub struct Roots(Option<Arc<[Vec<String>]>>);

impl Roots {
    /// From paths as the manifest writes them, `docker/authz`; an empty one is everything.
    pub(super) fn new(written: Vec<String>) -> Self {
        let steps = |path: String| path.split('/').filter(|step| !step.is_empty()).map(str::to_owned).collect();
        Self(Some(written.into_iter().map(steps).collect()))
    }

    /// Whether a package may stand there.
    pub(crate) fn permit(&self, path: &[&str]) -> bool {
        self.0.as_ref().is_none_or(|roots| roots.iter().any(|root| is_below(path, root)))
    }

    /// The first path in a document that may not be there.
    pub(crate) fn stray(&self, document: &Value) -> Option<String> {
        self.0.as_ref().and_then(|roots| stray(roots, document, &mut Vec::new()))
    }

    /// As they are told.
    pub(crate) fn told(&self) -> String {
        let roots = self.0.as_deref().unwrap_or_default();
        roots.iter().map(|root| format!("`{}`", root.join("/"))).collect::<Vec<_>>().join(", ")
    }
}

fn is_below(path: &[&str], root: &[String]) -> bool {
    path.len() >= root.len() && root.iter().zip(path).all(|(wanted, step)| wanted == step)
}

fn stray<'d>(roots: &[Vec<String>], document: &'d Value, path: &mut Vec<&'d str>) -> Option<String> {
    if roots.iter().any(|root| is_below(path, root)) {
        return None;
    }
    let leads_to = |root: &Vec<String>| root.len() > path.len() && root.iter().zip(path.iter()).all(|(a, b)| a == b);
    let (Ok(members), true) = (document.as_object(), roots.iter().any(leads_to)) else {
        return Some(path.join("/"));
    };
    for (name, member) in members.iter() {
        path.push(name.as_string().map(AsRef::as_ref).unwrap_or_default());
        if let Some(found) = stray(roots, member, path) {
            return Some(found);
        }
        path.pop();
    }
    None
}
