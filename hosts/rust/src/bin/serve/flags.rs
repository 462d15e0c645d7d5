//! Flags: what is served, where, and what it may reach. The same in every host, whatever its language.

use std::collections::BTreeSet;
use std::path::PathBuf;

use wasm_proactor::{Isolation, MemoryStore, RedbStore, Resources, Rights};

pub const USAGE: &str = "serve app.wasm [--host 127.0.0.1] [--port 8787] [--isolation pooled]
      [--kv NAME[:rights][=path]]… [--origin NAME=url[,url…]]…

  --host       where to listen
  --port       0 takes a free one
  --isolation  request, pooled or shared: how far a trap reaches
  --kv         grants a KV namespace: in memory, or in the file \"path\"; rights are read,write,list or some of them
  --origin     grants HTTP origins";

#[derive(Debug, PartialEq, Eq)]
pub struct KvFlag {
    pub name: String,
    pub rights: Rights,
    /// In memory without it.
    pub path: Option<PathBuf>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Flags {
    /// The module's file.
    pub module: PathBuf,
    pub host: String,
    pub port: u16,
    pub isolation: Isolation,
    pub kv: Vec<KvFlag>,
    /// Each name with its URLs.
    pub origins: Vec<(String, Vec<String>)>,
}

/// What the command line says; none if it asks for help.
pub fn parse(args: impl IntoIterator<Item = String>) -> Result<Option<Flags>, String> {
    let mut flags = Flags {
        module: PathBuf::new(),
        host: "127.0.0.1".to_owned(),
        port: 8787,
        isolation: Isolation::Pooled,
        kv: Vec::new(),
        origins: Vec::new(),
    };
    let mut modules = Vec::new();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let (flag, value) = match arg.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (arg.as_str(), None),
        };
        let mut value = || value.clone().or_else(|| args.next()).ok_or_else(|| format!("{flag} needs a value"));
        match flag {
            "--help" | "-h" => return Ok(None),
            "--host" => flags.host = value()?,
            "--port" => {
                let text = value()?;
                flags.port = text.parse().map_err(|_| format!("--port takes 0 to {}, not {text}", u16::MAX))?;
            }
            "--isolation" => flags.isolation = isolation_of(&value()?)?,
            "--kv" => flags.kv.push(kv_of(&value()?)?),
            "--origin" => flags.origins.push(origin_of(&value()?)?),
            flag if flag.starts_with('-') => return Err(format!("{flag} is no flag; --help shows what there is")),
            _ => modules.push(arg),
        }
    }
    let [module] = modules.as_slice() else { return Err("give one module, as in: serve app.wasm".to_owned()) };
    flags.module = module.into();
    let names = flags.kv.iter().map(|kv| &kv.name).chain(flags.origins.iter().map(|(name, _)| name));
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{name} is granted twice"));
        }
    }
    Ok(Some(flags))
}

fn isolation_of(text: &str) -> Result<Isolation, String> {
    match text {
        "request" => Ok(Isolation::Request),
        "pooled" => Ok(Isolation::Pooled),
        "shared" => Ok(Isolation::Shared),
        _ => Err(format!("--isolation takes request, pooled, shared, not {text}")),
    }
}

fn kv_of(text: &str) -> Result<KvFlag, String> {
    let (grant, path) = match text.split_once('=') {
        Some((grant, path)) => (grant, Some(path)),
        None => (text, None),
    };
    let (name, rights) = match grant.split_once(':') {
        Some((name, rights)) => (name, rights_of(rights)?),
        None => (grant, Rights::ALL),
    };
    if name.is_empty() || path == Some("") {
        return Err(format!("--kv takes NAME, NAME=file or NAME:read,list=file, not \"{text}\""));
    }
    Ok(KvFlag { name: name.to_owned(), rights, path: path.map(PathBuf::from) })
}

fn rights_of(text: &str) -> Result<Rights, String> {
    text.split(',').try_fold(Rights::NONE, |all, right| match right {
        "read" => Ok(all | Rights::READ),
        "write" => Ok(all | Rights::WRITE),
        "list" => Ok(all | Rights::LIST),
        _ => Err(format!("rights: \"{right}\" is none of read, write, list")),
    })
}

fn origin_of(text: &str) -> Result<(String, Vec<String>), String> {
    match text.split_once('=') {
        Some((name, urls)) if !name.is_empty() && !urls.is_empty() => {
            Ok((name.to_owned(), urls.split(',').map(str::to_owned).collect()))
        }
        _ => Err(format!("--origin takes NAME=https://api.example.com, not \"{text}\"")),
    }
}

impl Flags {
    /// What the module may reach.
    pub fn resources(&self) -> Result<Resources, String> {
        let mut resources = Resources::new();
        for KvFlag { name, rights, path } in &self.kv {
            resources = match path {
                None => resources.kv(name, MemoryStore::new(), *rights),
                Some(path) => {
                    let store = RedbStore::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
                    resources.kv(name, store, *rights)
                }
            };
        }
        for (name, urls) in &self.origins {
            resources = resources.origin(name, urls).map_err(|error| error.to_string())?;
        }
        Ok(resources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<Flags>, String> {
        parse(line.split(' ').map(str::to_owned))
    }

    #[test]
    fn flags_say_what_is_served_and_what_it_may_reach() {
        let line =
            "app.wasm --port=0 --isolation shared --kv CACHE --kv LOG:write=log.redb --origin API=http://a,http://b";
        let flags = parsed(line).unwrap().unwrap();
        let memory = KvFlag { name: "CACHE".to_owned(), rights: Rights::ALL, path: None };
        let file = KvFlag { name: "LOG".to_owned(), rights: Rights::WRITE, path: Some("log.redb".into()) };
        assert_eq!(flags.kv, [memory, file]);
        assert_eq!(flags.origins, [("API".to_owned(), vec!["http://a".to_owned(), "http://b".to_owned()])]);
        assert_eq!((flags.port, flags.isolation), (0, Isolation::Shared));
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        for (line, sentence) in [
            ("app.wasm --no-such", "--no-such is no flag; --help shows what there is"),
            ("--port 1", "give one module, as in: serve app.wasm"),
            ("a.wasm b.wasm", "give one module, as in: serve app.wasm"),
            ("a.wasm --port 65536", "--port takes 0 to 65535, not 65536"),
            ("a.wasm --port", "--port needs a value"),
            ("a.wasm --isolation none", "--isolation takes request, pooled, shared, not none"),
            ("a.wasm --kv A:grow", "rights: \"grow\" is none of read, write, list"),
            ("a.wasm --kv =file", "--kv takes NAME, NAME=file or NAME:read,list=file, not \"=file\""),
            ("a.wasm --origin A", "--origin takes NAME=https://api.example.com, not \"A\""),
            ("a.wasm --kv A --origin A=http://a", "A is granted twice"),
        ] {
            assert_eq!(parsed(line), Err(sentence.to_owned()), "{line}");
        }
    }
}
