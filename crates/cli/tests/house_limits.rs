//! No limit of the pool without a test that sets it, to reach it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{collections::BTreeSet, path::Path};

use syn::{Expr, ExprAssign, ExprStruct, Member, visit::Visit};
use vipnode_core::Limits;
use vipnode_pool::PoolLimits;

#[test]
fn each_limit_is_reached_by_a_test() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut set = SetInTests::default();
    for folder in ["core/src", "pool/src", "pool/tests"] {
        for entry in walkdir::WalkDir::new(crates.join(folder)) {
            let path = entry.unwrap().into_path();
            set.in_test = path.components().any(|part| part.as_os_str() == "tests");
            if path.extension().is_some_and(|extension| extension == "rs") {
                set.visit_file(&syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap());
            }
        }
    }
    let mind = Limits::TABLE.iter().map(|limit| limit.name);
    let gateway = PoolLimits::TABLE.iter().map(|limit| limit.name);
    let missing: Vec<&str> = mind.chain(gateway).filter(|name| !set.limits.contains(*name)).collect();
    assert!(missing.is_empty(), "no test sets {missing:?}");
}

/// Fields of limits that a test sets, or what supports it.
#[derive(Default)]
struct SetInTests {
    in_test: bool,
    limits: BTreeSet<String>,
}

impl SetInTests {
    fn name(&mut self, member: &Member) {
        if let Member::Named(name) = member {
            self.limits.insert(name.to_string());
        }
    }

    /// `limits.a = …`, and `(limits.a, limits.b) = …`.
    fn assigned(&mut self, left: &Expr) {
        match left {
            Expr::Field(field) => self.name(&field.member),
            Expr::Tuple(tuple) => tuple.elems.iter().for_each(|left| self.assigned(left)),
            _ => {}
        }
    }
}

impl<'ast> Visit<'ast> for SetInTests {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let is_test = item
            .attrs
            .iter()
            .any(|attribute| attribute.path().segments.last().is_some_and(|segment| segment.ident == "test"));
        let outer = self.in_test;
        self.in_test |= is_test;
        syn::visit::visit_item_fn(self, item);
        self.in_test = outer;
    }

    fn visit_expr_assign(&mut self, assign: &'ast ExprAssign) {
        if self.in_test {
            self.assigned(&assign.left);
        }
        syn::visit::visit_expr_assign(self, assign);
    }

    fn visit_expr_struct(&mut self, value: &'ast ExprStruct) {
        let limits = |segment: &syn::PathSegment| segment.ident == "Limits" || segment.ident == "PoolLimits";
        if self.in_test && value.path.segments.last().is_some_and(limits) {
            for field in &value.fields {
                self.name(&field.member);
            }
        }
        syn::visit::visit_expr_struct(self, value);
    }
}
