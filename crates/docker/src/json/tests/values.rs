//! Values: `null`, and what each type takes.

use super::{assert_all, assert_host_configs};

#[test]
fn null_is_the_zero_value_but_not_in_lists() {
    assert_all(&[
        (
            r#"{"Image":null,"Tty":null,"Cmd":null,"OnBuild":null,"Env":null,"Labels":null,"StopTimeout":null,
               "HostConfig":null,"EndpointsConfig":null,"Links":null,"Options":null,"ExposedPorts":null}"#,
            "{}",
        ),
        (
            r#"{"ExposedPorts":{"80/tcp":null},"Labels":{"a":null},"EndpointsConfig":{"n":null}}"#,
            r#"{"Labels":{"a":""},"ExposedPorts":{"80/tcp":{}},"EndpointsConfig":{"n":null}}"#,
        ),
        (
            r#"{"Env":[],"Cmd":[],"Labels":{},"HostConfig":{},"StopTimeout":0}"#,
            r#"{"Cmd":[],"Env":[],"Labels":{},"StopTimeout":0,"HostConfig":{}}"#,
        ),
        ("null", "the body is null"),
        (" null\n", "the body is null"),
        (r#"{"Cmd":["a",null]}"#, "`Cmd[1]` is null, which an element of a list must not be (line 1 column 17)"),
        (r#"{"Options":[null]}"#, r#"{"Options":[null]}"#),
    ]);
    assert_host_configs(&[
        (
            r#""Binds":null,"LogConfig":null,"ConsoleSize":null,"Memory":null,"BlkioWeight":null,"Cpus":null,
               "Share":null,"Mounts":null,"Init":null,"Capabilities":null,"Mode":null"#,
            "",
        ),
        (r#""MaskedPaths":[],"Init":false,"Privileged":false"#, r#""MaskedPaths":[],"Init":false"#),
        (r#""LogConfig":{"Type":"","Config":null}"#, ""),
        (r#""LogConfig":{"Config":{}}"#, r#""LogConfig":{"Config":{}}"#),
        (
            r#""Binds":[null]"#,
            "!`HostConfig.Binds[0]` is null, which an element of a list must not be (line 1 column 29)",
        ),
        (
            r#""Mounts":[{"Type":"bind"},null]"#,
            "!`HostConfig.Mounts[1]` is null, which an element of a list must not be (line 1 column 46)",
        ),
        (
            r#""ConsoleSize":[1,null]"#,
            "!`HostConfig.ConsoleSize[1]` is null, which an element of a list must not be (line 1 column 37)",
        ),
        (
            r#""Capabilities":[null]"#,
            "!`HostConfig.Capabilities[0]` is null, which an element of a list must not be (line 1 column 36)",
        ),
        (r#""Ulimits":[null,{}]"#, r#""Ulimits":[null,{}]"#),
        (r#""Mounts":[{"VolumeOptions":null},{"VolumeOptions":{}}]"#, r#""Mounts":[{},{"VolumeOptions":{}}]"#),
    ]);
}

#[test]
fn types_are_strict() {
    assert_host_configs(&[
        (r#""Memory":-0"#, ""),
        (r#""Memory":-9223372036854775808"#, r#""Memory":-9223372036854775808"#),
        (r#""IOMaximumIOps":18446744073709551615"#, r#""IOMaximumIOps":18446744073709551615"#),
        (r#""Memory":1.0"#, "!`HostConfig.Memory` must be a whole number (line 1 column 28)"),
        (r#""Memory":-0.0"#, "!`HostConfig.Memory` must be a whole number (line 1 column 29)"),
        (r#""Memory":1e3"#, "!`HostConfig.Memory` must be a whole number (line 1 column 28)"),
        (r#""Memory":"5""#, "!`HostConfig.Memory` must be a whole number (line 1 column 28)"),
        (r#""Memory":true"#, "!`HostConfig.Memory` must be a whole number (line 1 column 29)"),
        (r#""Memory":[[[{"a":1}]]]"#, "!`HostConfig.Memory` must be a whole number (line 1 column 38)"),
        (
            r#""Memory":9223372036854775808"#,
            "!`HostConfig.Memory` is out of range, \
             it must be a whole number from -9223372036854775808 to 9223372036854775807 (line 1 column 44)",
        ),
        (
            r#""OomScoreAdj":-129"#,
            "!`HostConfig.OomScoreAdj` is out of range, it must be a whole number from -128 to 127 (line 1 column 34)",
        ),
        (r#""BlkioWeight":65535,"Mode":4294967295"#, r#""BlkioWeight":65535,"Mode":4294967295"#),
        (
            r#""BlkioWeight":65536"#,
            "!`HostConfig.BlkioWeight` is out of range, it must be a whole number from 0 to 65535 (line 1 column 35)",
        ),
        (
            r#""Mode":-0"#,
            "!`HostConfig.Mode` is out of range, it must be a whole number from 0 to 4294967295 (line 1 column 25)",
        ),
        (r#""Cpus":1e3,"Share":-0.5"#, r#""Cpus":1000.0,"Share":-0.5"#),
        (r#""Cpus":1e999"#, "!`HostConfig.Cpus` is out of range, it must be a number (line 1 column 28)"),
        (r#""Share":1e39"#, "!`HostConfig.Share` is out of range, it must be a number (line 1 column 28)"),
        (r#""Cpus":"1""#, "!`HostConfig.Cpus` must be a number (line 1 column 26)"),
        (r#""Privileged":1"#, "!`HostConfig.Privileged` must be true or false (line 1 column 30)"),
        (r#""Privileged":"true""#, "!`HostConfig.Privileged` must be true or false (line 1 column 35)"),
        (r#""Init":{}"#, "!`HostConfig.Init` must be true or false (line 1 column 25)"),
        (r#""NetworkMode":1"#, "!`HostConfig.NetworkMode` must be a string (line 1 column 30)"),
        (r#""Binds":"/:/h""#, "!`HostConfig.Binds` must be a list (line 1 column 29)"),
        (r#""Binds":[["/:/h"]]"#, "!`HostConfig.Binds[0]` must be a string (line 1 column 24)"),
        (r#""Sysctls":{"a":1}"#, r#"!`HostConfig.Sysctls["a"]` must be a string (line 1 column 31)"#),
        (r#""Sysctls":["a"]"#, "!`HostConfig.Sysctls` must be an object (line 1 column 25)"),
        (r#""Mounts":[["bind","/"]]"#, "!`HostConfig.Mounts[0]` must be an object (line 1 column 26)"),
        (r#""Mounts":{}"#, "!`HostConfig.Mounts` must be a list (line 1 column 24)"),
        (r#""ConsoleSize":[24,80]"#, r#""ConsoleSize":[24,80]"#),
        (r#""ConsoleSize":[0,0]"#, ""),
        (r#""ConsoleSize":[]"#, "!`HostConfig.ConsoleSize` must be a list of exactly 2 values (line 1 column 31)"),
        (r#""ConsoleSize":[1]"#, "!`HostConfig.ConsoleSize` must be a list of exactly 2 values (line 1 column 32)"),
        (r#""ConsoleSize":[1,2,3]"#, "!`HostConfig.ConsoleSize` must be a list of exactly 2 values (line 1 column 36)"),
        (r#""Capabilities":[["gpu"],[]]"#, r#""Capabilities":[["gpu"],[]]"#),
    ]);
    assert_all(&[
        ("[]", "the body must be an object (line 1 column 2)"),
        (r#"[{"Image":"a"}]"#, "the body must be an object (line 1 column 1)"),
        (r#""text""#, "the body must be an object (line 1 column 6)"),
        (r#"{"HostConfig":[{"Privileged":true}]}"#, "`HostConfig` must be an object (line 1 column 15)"),
        (r#"{"Cmd":"sh","OnBuild":"x"}"#, r#"{"Cmd":["sh"],"OnBuild":["x"]}"#),
        (r#"{"Cmd":["sh","-c"]}"#, r#"{"Cmd":["sh","-c"]}"#),
        (r#"{"Cmd":5}"#, "`Cmd` must be a string or a list of strings (line 1 column 8)"),
        (r#"{"Cmd":{"a":"b"}}"#, "`Cmd` must be a string or a list of strings (line 1 column 8)"),
        (r#"{"Cmd":[["a"]]}"#, "`Cmd[0]` must be a string (line 1 column 8)"),
        (r#"{"Links":{"x":[1,null,{"y":2.5}]},"User":"a"}"#, r#"{"User":"a"}"#),
        (r#"{"Options":{"b":[1,-2,0.5,null,true],"a":"x"}}"#, r#"{"Options":{"a":"x","b":[1,-2,0.5,null,true]}}"#),
        (r#"{"User":"a\u0000b\/"}"#, r#"{"User":"a\u0000b/"}"#),
        (r#"{"User":"\ud83d\ude00"}"#, "{\"User\":\"\u{1F600}\"}"),
    ]);
}
