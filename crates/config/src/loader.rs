//! Putting the layers together.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::tree::Node;
use crate::{ConfigError, Environment, Fault, Place, overlay, read, tree};

/// Reads a configuration from its layers: defaults, file, environment, flags.
///
/// ```
/// use yoi_config::{Environment, Loader};
///
/// #[derive(serde::Deserialize)]
/// struct Config {
///     server: Server,
/// }
/// #[derive(serde::Deserialize)]
/// struct Server {
///     bind: String,
/// }
///
/// let environment: Environment = [("YOI_SERVER__BIND", "127.0.0.1:0")].into_iter().collect();
/// let loaded = Loader::new()
///     .text("yoi.toml", "[server]\nbind = \"127.0.0.1:7400\"")?
///     .environment(&environment)
///     .load::<Config>()?;
/// assert_eq!(loaded.value.server.bind, "127.0.0.1:0");
/// # Ok::<(), yoi_config::ConfigError>(())
/// ```
pub struct Loader {
    root: Node,
    has_file: bool,
    faults: Vec<Fault>,
}

impl Loader {
    /// A loader with nothing but defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            root: Node::table(Place::Nowhere),
            has_file: false,
            faults: Vec::new(),
        }
    }

    /// Takes the text of a file; `name` is how errors name it. Comes before the other layers.
    ///
    /// # Errors
    /// When the text is not TOML.
    pub fn text(mut self, name: &str, text: &str) -> Result<Self, ConfigError> {
        self.root = tree::parse(name, text)?;
        self.has_file = true;
        Ok(self)
    }

    /// Takes a file. Comes before the other layers.
    ///
    /// # Errors
    /// When it cannot be read, or is not TOML.
    pub fn file(self, path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => self.text(&name, &text),
            Err(error) => {
                let why = match error.kind() {
                    ErrorKind::InvalidData => "is not UTF-8".to_owned(),
                    kind => format!("cannot be read: {kind}"),
                };
                Err(ConfigError::new(
                    Place::Nowhere,
                    format!("the file {name} {why}"),
                ))
            }
        }
    }

    /// Whether there is a file below the other layers.
    #[must_use]
    pub fn has_file(&self) -> bool {
        self.has_file
    }

    /// Lays the variables that name keys (`YOI_SERVER__BIND`) over the file.
    #[must_use]
    pub fn environment(mut self, environment: &Environment) -> Self {
        for (name, value) in environment.overlay() {
            let place = Place::Variable(name.to_owned());
            let set = overlay::path_of_variable(name)
                .and_then(|path| overlay::set(&mut self.root, &path, &place, value.to_owned()));
            self.faults.extend(set.err());
        }
        self
    }

    /// Lays a flag that was given over everything else: `.flag("--bind", "server.bind", bind)`.
    #[must_use]
    pub fn flag(mut self, flag: &'static str, key: &str, value: Option<String>) -> Self {
        if let Some(value) = value {
            let set = overlay::set(&mut self.root, &keys(key), &Place::Flag(flag), value);
            self.faults.extend(set.err());
        }
        self
    }

    /// Like [`Loader::flag`], but the key becomes the only one of its table: `--token-env` over a
    /// `token = { file = … }` is not both.
    #[must_use]
    pub fn flag_alone(mut self, flag: &'static str, key: &str, value: Option<String>) -> Self {
        if value.is_some() {
            let path = keys(key);
            overlay::remove(&mut self.root, &path[..path.len().saturating_sub(1)]);
        }
        self.flag(flag, key, value)
    }

    /// Reads what the layers add up to.
    ///
    /// # Errors
    /// Everything that is wrong with the overlay and every unknown key, and the first value of a
    /// wrong type or form.
    pub fn load<T: DeserializeOwned>(self) -> Result<Loaded<T>, ConfigError> {
        let mut faults = self.faults;
        let value = read::read(&self.root, &mut faults);
        let mut places = BTreeMap::new();
        self.root.places("", &mut places);
        match value {
            Some(value) if faults.is_empty() => Ok(Loaded { value, places }),
            Some(_) | None => Err(ConfigError::all(faults)),
        }
    }
}

fn keys(path: &str) -> Vec<String> {
    path.split('.').map(str::to_owned).collect()
}

impl Default for Loader {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader").finish_non_exhaustive()
    }
}

/// A configuration that was read, and where each of its keys comes from.
#[derive(Debug)]
pub struct Loaded<T> {
    /// What was read.
    pub value: T,
    places: BTreeMap<String, Place>,
}

impl<T> Loaded<T> {
    /// Where a key comes from, by its path (`runtimes[1].base_url`); for one that is not set,
    /// where the nearest table above it is.
    #[must_use]
    pub fn place(&self, path: &str) -> Place {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return place.clone();
            }
            path = path
                .rfind(['.', '['])
                .map_or("", |end| path.get(..end).unwrap_or(""));
        }
    }

    /// An error about a key, for rules that a type alone cannot say. The message is shown after
    /// the key and must not contain its value.
    #[must_use]
    pub fn fault(&self, path: &str, message: impl fmt::Display) -> ConfigError {
        ConfigError::new(self.place(path), format!("`{path}` {message}"))
    }
}
