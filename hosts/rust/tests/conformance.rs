//! The cases of conformance/cases, each acted out in this process by the driver of `--bin conformance`.

#[path = "../src/bin/conformance/executor.rs"]
mod executor;
#[path = "../src/bin/conformance/world.rs"]
mod world;

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use world::World;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn every_case_is_acted_out_as_it_is_written() {
    assert!(
        Path::new(ROOT).join("build/conformance/probe.wasm").exists(),
        "there is no build/: say `npm run build` first"
    );
    let mut files: Vec<_> =
        fs::read_dir(Path::new(ROOT).join("conformance/cases")).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let (mut count, mut differences) = (0, Vec::new());
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let cases: Vec<Value> = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let mut world = World::default();
        for case in &cases {
            count += 1;
            differences.extend(act_out(&mut world, &name, case));
        }
    }
    assert!(count > 200, "only {count} cases were found");
    assert!(differences.is_empty(), "{} of {count} cases differ:\n\n{}", differences.len(), differences.join("\n\n"));
}

/// What differs at the first step at which anything does.
fn act_out(world: &mut World, name: &str, case: &Value) -> Option<String> {
    let mut first = None;
    for (index, step) in case["steps"].as_array().unwrap().iter().enumerate() {
        let mut command = step["do"].clone();
        if let Some(module) = command["module"].as_str() {
            command["module"] = format!("{ROOT}/{module}").into();
        }
        let expected = lines_of(&alike(step.get("expect").unwrap_or(&Value::Object(Map::new()))));
        let found = lines_of(&alike(&world.perform(&command)));
        if expected != found && first.is_none() {
            let title = case["title"].as_str().unwrap();
            first = Some(format!("{name}: {title}\n  step {}: {command}\n{}", index + 1, diff(&expected, &found)));
        }
    }
    first
}

/// The reply without what hosts may differ in, and with keys in one order.
fn alike(reply: &Value) -> Value {
    let mut copy = reply.clone();
    for (list, key) in [("calls", "call"), ("answers", "id"), ("aborted", ""), ("closed", "")] {
        let Some(list) = copy.get_mut(list).and_then(Value::as_array_mut) else { continue };
        let key_of = |entry: &Value| if key.is_empty() { entry.to_string() } else { entry[key].to_string() };
        list.sort_by_key(key_of);
        for headers in list.iter_mut().filter_map(|entry| entry.get_mut("headers")?.as_array_mut()) {
            headers.sort_by_key(|pair| pair[0].to_string());
        }
    }
    // What the guest itself says is the guest's; the other words are the host's.
    for report in copy.get_mut("reports").and_then(Value::as_array_mut).into_iter().flatten() {
        if report.get("file").is_none_or(|file| file == "") {
            report.as_object_mut().unwrap().remove("message");
        }
    }
    sorted(&copy)
}

/// Keys in order, and nothing that is empty.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(entries) => entries.iter().map(sorted).collect(),
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().map(|(key, inner)| (key.clone(), sorted(inner))).collect();
            entries
                .retain(|(key, inner)| key == "value" || !(inner == "" || inner.as_array().is_some_and(Vec::is_empty)));
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(entries.into_iter().collect())
        }
        other => other.clone(),
    }
}

/// A line for each thing that is seen.
fn lines_of(reply: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (field, value) in reply.as_object().into_iter().flatten() {
        let entries = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        lines.extend(entries.iter().map(|entry| match entry {
            Value::String(text) => format!("{field}: {text}"),
            other => format!("{field}: {other}"),
        }));
    }
    lines
}

/// What is only expected, and what is only found, between the lines that both begin and end with.
fn diff(expected: &[String], found: &[String]) -> String {
    let begin = expected.iter().zip(found).take_while(|(a, b)| a == b).count();
    let (expected, found) = (&expected[begin..], &found[begin..]);
    let end = expected.iter().rev().zip(found.iter().rev()).take_while(|(a, b)| a == b).count();
    let minus = expected[..expected.len() - end].iter().map(|line| format!("    - {line}"));
    let plus = found[..found.len() - end].iter().map(|line| format!("    + {line}"));
    minus.chain(plus).collect::<Vec<_>>().join("\n")
}
