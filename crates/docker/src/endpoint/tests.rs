use super::*;

fn check(method: Method, path: &str, expected: Option<(Operation, &[&str])>) {
    let target = Target::parse(path, &method).unwrap();
    let found = route(&method, &target);
    let expected =
        expected.map(|(operation, names)| Route { operation, names: names.iter().map(|n| n.to_string()).collect() });
    assert_eq!(found, expected, "{method} {path}");
}

#[test]
fn the_table_holds_every_end_point() {
    assert_eq!(ENDPOINTS.len(), 123);
    for (index, endpoint) in ENDPOINTS.iter().enumerate() {
        assert_eq!(endpoint.operation as usize, index);
        assert_eq!(Operation::from_name(endpoint.operation.name()), Some(endpoint.operation));
    }
}

#[test]
fn routes_are_found_as_the_daemon_finds_them() {
    use Operation::*;
    check(Method::Get, "/_ping", Some((SystemPing, &[])));
    check(Method::Get, "/v1.41/_ping", Some((SystemPing, &[])));
    check(Method::Get, "/containers/json", Some((ContainerList, &[])));
    check(Method::Get, "/containers%2fjson", Some((ContainerList, &[])));
    check(Method::Get, "/containers/a%2Fb/json", Some((ContainerInspect, &["a/b"])));
    check(
        Method::Get,
        "/images/registry.test:5000/team/app:1/json",
        Some((ImageInspect, &["registry.test:5000/team/app:1"])),
    );
    check(Method::Post, "/containers/mine/exec/exec", Some((ContainerExec, &["mine/exec"])));
    check(Method::Delete, "/containers/a/checkpoints/b", Some((CheckpointDelete, &["a", "b"])));
    check(Method::Delete, "/containers/a", Some((ContainerDelete, &["a"])));
    check(Method::Get, "/networks/", Some((NetworkListSlash, &[])));
    check(Method::Get, "/volumes", Some((VolumeList, &[])));
    check(Method::Get, "/services/a/b", None);
    check(Method::Get, "/INFO", None);
    check(Method::Get, "/info/", None);
    check(Method::Post, "/_ping", None);
    check(Method::Other("post".into()), "/containers/create", None);
    check(Method::Head, "/info", None);
}
