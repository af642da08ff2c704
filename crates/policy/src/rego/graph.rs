//! Which rules a rule is built on, and which functions it calls: read from the syntax, nothing evaluated.
//!
//! Where it cannot be told which rule is meant (`data.docker[x]`), it may be any of them. So a recursion is never missed,
//! which the engine would follow until the process has no stack left.

use std::collections::{BTreeMap, BTreeSet};

use regorus::Value;
use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Module, Query, Ref, Rule, RuleHead, Span};

/// A rule by its path, with all its definitions together.
#[derive(Default)]
pub(super) struct Node {
    /// Where it is first defined.
    pub span: Option<Span>,
    /// The rules that it is built on, with the deepest nesting at which it names each.
    pub uses: BTreeMap<Vec<String>, usize>,
    /// The deepest nesting of its expressions.
    pub depth: usize,
}

/// A function that is called, or replaced with `with`.
pub(super) struct Called {
    pub name: String,
    pub span: Span,
    /// How many arguments; `None` where it is only named.
    pub arguments: Option<usize>,
}

/// All rules of all modules.
#[derive(Default)]
pub(super) struct Graph {
    pub rules: BTreeMap<Vec<String>, Node>,
    /// What is called and no rule.
    pub called: Vec<Called>,
}

impl Graph {
    pub fn of(modules: &[Ref<Module>]) -> Graph {
        let mut graph = Graph::default();
        for module in modules {
            for rule in &module.policy {
                let node = graph.rules.entry(components_of(module, rule)).or_default();
                node.span.get_or_insert_with(|| rule.span().clone());
            }
        }
        let paths: BTreeSet<Vec<String>> = graph.rules.keys().cloned().collect();
        for module in modules {
            for rule in &module.policy {
                let mut reader = Reader::new(module, &paths);
                reader.rule(rule);
                let Reader { uses, depth, called, .. } = reader;
                graph.called.extend(called);
                let node = graph.rules.entry(components_of(module, rule)).or_default();
                node.depth = node.depth.max(depth);
                for (path, depth) in uses {
                    let known = node.uses.entry(path).or_default();
                    *known = depth.max(*known);
                }
            }
        }
        graph
    }
}

/// The path of a rule, up to what only its evaluation tells: `data.docker.authz.allow`.
pub(super) fn path_of(module: &Module, rule: &Rule) -> String {
    components_of(module, rule).join(".")
}

fn components_of(module: &Module, rule: &Rule) -> Vec<String> {
    let head = match rule {
        Rule::Spec {
            head: RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. },
            ..
        } => refr,
        Rule::Default { refr, .. } => refr,
    };
    let mut path = vec!["data".to_owned()];
    path.extend(chain(&module.package.refr).1);
    path.extend(chain(head).1);
    path
}

/// The root of a reference and its components, that of the root included, up to the first that only evaluation tells.
/// `None`: it has no name at its root.
fn chain(expr: &Ref<Expr>) -> (Option<&Expr>, Vec<String>) {
    let (mut steps, mut expr) = (Vec::new(), expr.as_ref());
    loop {
        match expr {
            Expr::RefDot { refr, field, .. } => {
                steps.push(text(&field.1));
                expr = refr.as_ref();
            }
            Expr::RefBrack { refr, index, .. } => {
                steps.push(match index.as_ref() {
                    Expr::String { value, .. } | Expr::RawString { value, .. } => text(value),
                    _ => None,
                });
                expr = refr.as_ref();
            }
            Expr::Var { value, .. } => {
                steps.push(text(value));
                break;
            }
            _ => return (None, Vec::new()),
        }
    }
    steps.reverse();
    (Some(expr), steps.into_iter().map_while(|step| step).collect())
}

fn text(value: &Value) -> Option<String> {
    value.as_string().ok().map(ToString::to_string)
}

/// Names that stand for values of a query.
type Locals = BTreeSet<String>;

/// Reads one rule.
struct Reader<'a> {
    package: Vec<String>,
    imports: BTreeMap<String, Vec<String>>,
    paths: &'a BTreeSet<Vec<String>>,
    uses: BTreeMap<Vec<String>, usize>,
    called: Vec<Called>,
    depth: usize,
    now: usize,
}

impl<'a> Reader<'a> {
    fn new(module: &Module, paths: &'a BTreeSet<Vec<String>>) -> Reader<'a> {
        let mut package = vec!["data".to_owned()];
        package.extend(chain(&module.package.refr).1);
        let imports = module.imports.iter().filter_map(|import| {
            let path = chain(&import.refr).1;
            let name = import.r#as.as_ref().map(|name| name.text().to_owned()).or_else(|| path.last().cloned())?;
            Some((name, path))
        });
        Reader {
            package,
            imports: imports.collect(),
            paths,
            uses: BTreeMap::new(),
            called: Vec::new(),
            depth: 0,
            now: 0,
        }
    }

    fn rule(&mut self, rule: &Rule) {
        let Rule::Spec { head, bodies, .. } = rule else {
            if let Rule::Default { value, .. } = rule {
                self.expr(value, &Locals::new());
            }
            return;
        };
        let mut own = Locals::new();
        let mut of_head: Vec<&Ref<Expr>> = Vec::new();
        match head {
            RuleHead::Compr { refr, assign, .. } => {
                of_head.push(refr);
                of_head.extend(assign.as_ref().map(|assign| &assign.value));
            }
            RuleHead::Set { refr, key, .. } => {
                of_head.push(refr);
                of_head.extend(key);
            }
            RuleHead::Func { args, assign, .. } => {
                args.iter().for_each(|argument| names_in(argument, &mut own));
                of_head.extend(args);
                of_head.extend(assign.as_ref().map(|assign| &assign.value));
            }
        }
        if bodies.is_empty() {
            of_head.iter().for_each(|expr| self.head(expr, &own));
        }
        for body in bodies {
            let locals = declared(&body.query, &own);
            self.query(&body.query, &locals);
            of_head.iter().for_each(|expr| self.head(expr, &locals));
            body.assign.iter().for_each(|assign| self.expr(&assign.value, &locals));
        }
    }

    /// A part of a head. The name of the rule itself is no use of it.
    fn head(&mut self, expr: &Ref<Expr>, locals: &Locals) {
        let mut expr = expr;
        while let Expr::RefBrack { refr, index, .. } = expr.as_ref() {
            self.expr(index, locals);
            expr = refr;
        }
        if !matches!(expr.as_ref(), Expr::RefDot { .. } | Expr::Var { .. }) || self.names_value(expr) {
            self.expr(expr, locals);
        }
    }

    /// Whether a name in a head is a value of it and not the rule's own name.
    fn names_value(&self, expr: &Ref<Expr>) -> bool {
        let (_, steps) = chain(expr);
        let own = self.package.iter().chain(&steps).cloned().collect::<Vec<_>>();
        !self.paths.iter().any(|path| path.starts_with(&own))
    }

    fn query(&mut self, query: &Ref<Query>, locals: &Locals) {
        self.deeper(|reader| query.stmts.iter().for_each(|statement| reader.statement(statement, locals)));
    }

    fn statement(&mut self, statement: &LiteralStmt, locals: &Locals) {
        for with in &statement.with_mods {
            let path = self.resolve(&with.refr, locals).unwrap_or_default();
            if !path.is_empty() && !matches!(path.first().map(String::as_str), Some("input" | "data")) {
                self.called.push(Called { name: path.join("."), span: with.span.clone(), arguments: None });
            }
            self.expr(&with.r#as, locals);
        }
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { key, value, collection, .. } => {
                key.iter().chain([value, collection]).for_each(|expr| self.expr(expr, locals));
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr, locals),
            Literal::Every { key, value, domain, query, .. } => {
                self.expr(domain, locals);
                let mut inner = locals.clone();
                inner.extend(key.iter().chain([value]).map(|name| name.text().to_owned()));
                self.query(query, &declared(query, &inner));
            }
        }
    }

    fn expr(&mut self, expr: &Ref<Expr>, locals: &Locals) {
        self.deeper(|reader| reader.within(expr, locals));
    }

    fn within(&mut self, expr: &Ref<Expr>, locals: &Locals) {
        match expr.as_ref() {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. } => {}
            Expr::Var { .. } => self.reference(expr, locals),
            Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.reference(expr, locals);
                self.parts(expr, locals);
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().for_each(|item| self.expr(item, locals))
            }
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
                self.expr(key, locals);
                self.expr(value, locals);
            }),
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.comprehension(&[term], query, locals);
            }
            Expr::ObjectCompr { key, value, query, .. } => self.comprehension(&[key, value], query, locals),
            Expr::Call { fcn, params, .. } => {
                params.iter().for_each(|parameter| self.expr(parameter, locals));
                self.call(fcn, params.len(), locals);
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr, locals),
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => {
                self.expr(lhs, locals);
                self.expr(rhs, locals);
            }
            Expr::Membership { key, value, collection, .. } => {
                key.iter().chain([value, collection]).for_each(|expr| self.expr(expr, locals));
            }
        }
    }

    fn comprehension(&mut self, terms: &[&Ref<Expr>], query: &Ref<Query>, locals: &Locals) {
        let inner = declared(query, locals);
        self.query(query, &inner);
        terms.iter().for_each(|term| self.expr(term, &inner));
    }

    /// What a reference holds beside its names: `data.users[input.User]`.
    fn parts(&mut self, expr: &Ref<Expr>, locals: &Locals) {
        match expr.as_ref() {
            Expr::RefDot { refr, .. } => self.parts(refr, locals),
            Expr::RefBrack { refr, index, .. } => {
                self.expr(index, locals);
                self.parts(refr, locals);
            }
            Expr::Var { .. } => {}
            _ => self.expr(expr, locals),
        }
    }

    fn call(&mut self, function: &Ref<Expr>, arguments: usize, locals: &Locals) {
        let Some(path) = self.resolve(function, locals) else { return };
        if path.first().is_some_and(|root| root == "data") {
            self.use_of(&path);
        } else {
            // The reference as a whole is said to stand at its last dot.
            let span = chain(function).0.map_or_else(|| function.span(), Expr::span).clone();
            self.called.push(Called { name: path.join("."), span, arguments: Some(arguments) });
        }
    }

    fn reference(&mut self, expr: &Ref<Expr>, locals: &Locals) {
        if let Some(path) = self.resolve(expr, locals)
            && path.first().is_some_and(|root| root == "data")
        {
            self.use_of(&path);
        }
    }

    /// The path that a reference means, from `data` on where it means a rule; `None`: a local name.
    fn resolve(&self, expr: &Ref<Expr>, locals: &Locals) -> Option<Vec<String>> {
        let (_, steps) = chain(expr);
        let root = steps.first()?;
        if locals.contains(root) {
            return None;
        }
        if root == "data" || root == "input" {
            return Some(steps);
        }
        let own: Vec<String> = self.package.iter().chain(&steps).cloned().collect();
        let first = own.get(..=self.package.len()).unwrap_or_default();
        if self.paths.iter().any(|path| path.starts_with(first)) {
            return Some(own);
        }
        match self.imports.get(root) {
            Some(target) => Some(target.iter().chain(steps.iter().skip(1)).cloned().collect()),
            None => Some(steps),
        }
    }

    /// All rules that a path may mean: those above it, itself, those below it.
    fn use_of(&mut self, path: &[String]) {
        let meant = self.paths.iter().filter(|rule| rule.starts_with(path) || path.starts_with(rule));
        for rule in meant {
            let depth = self.uses.entry(rule.clone()).or_default();
            *depth = self.now.max(*depth);
        }
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self)) {
        self.now = self.now.saturating_add(1);
        self.depth = self.depth.max(self.now);
        read(self);
        self.now = self.now.saturating_sub(1);
    }
}

/// The names that stand for values within a query: those around it, and those that it declares.
fn declared(query: &Query, around: &Locals) -> Locals {
    let mut locals = around.clone();
    for statement in &query.stmts {
        match &statement.literal {
            Literal::SomeVars { vars, .. } => locals.extend(vars.iter().map(|name| name.text().to_owned())),
            Literal::SomeIn { key, value, .. } => {
                key.iter().chain([value]).for_each(|pattern| names_in(pattern, &mut locals));
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => {
                if let Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } = expr.as_ref() {
                    names_in(lhs, &mut locals);
                }
            }
            Literal::Every { .. } => {}
        }
    }
    locals
}

/// The names in a pattern.
fn names_in(pattern: &Ref<Expr>, names: &mut Locals) {
    match pattern.as_ref() {
        Expr::Var { value, .. } => names.extend(text(value)),
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| names_in(item, names)),
        Expr::Object { fields, .. } => fields.iter().for_each(|(_, _, value)| names_in(value, names)),
        _ => {}
    }
}
