{
  description = "Stands in for nixpkgs where it cannot be fetched: just what yoi's flake asks for, on the host's own toolchain";

  # Three variables of the host are read (so: `--impure`), all empty while only evaluating:
  #   YOI_STUB_PATH    a PATH with cargo, rustc, a C compiler and coreutils
  #   YOI_STUB_CRATES  a folder with the .crate files that Cargo.lock names
  #   YOI_STUB_SHELL   a POSIX shell
  outputs =
    { self }:
    let
      path = builtins.getEnv "YOI_STUB_PATH";
      crates = builtins.getEnv "YOI_STUB_CRATES";
      shell = builtins.getEnv "YOI_STUB_SHELL";

      lib = {
        genAttrs =
          names: value:
          builtins.listToAttrs (
            map (name: {
              inherit name;
              value = value name;
            }) names
          );
        hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
        removePrefix =
          prefix: text:
          if lib.hasPrefix prefix text then
            builtins.substring (builtins.stringLength prefix) (builtins.stringLength text) text
          else
            text;
        licenses.mit = { };
      };

      # Every crate of the lock file, refused by nix when its sha256 is not the one that is locked.
      lockedCrates =
        lockFile:
        builtins.concatMap (
          package:
          if package ? checksum then
            [
              {
                name = "${package.name}-${package.version}";
                inherit (package) checksum;
                archive = builtins.path {
                  name = "${package.name}-${package.version}.crate";
                  path = "${crates}/${package.name}-${package.version}.crate";
                  sha256 = package.checksum;
                  recursive = false;
                };
              }
            ]
          else
            [ ]
        ) (builtins.fromTOML (builtins.readFile lockFile)).package;

      vendor =
        lockFile:
        builtins.concatStringsSep "\n" (
          map (crate: ''
            tar -xzf ${crate.archive} -C "$vendor"
            printf '{"files":{},"package":"%s"}' ${crate.checksum} > "$vendor/${crate.name}/.cargo-checksum.json"
          '') (lockedCrates lockFile)
        );

      packagesFor = system: {
        inherit system;
        cargo = "cargo";
        cargo-deny = "cargo-deny";
        cargo-hack = "cargo-hack";
        cargo-insta = "cargo-insta";
        clippy = "clippy";
        rustc = "rustc";
        rustfmt = "rustfmt";

        mkShell =
          arguments:
          derivation {
            name = "shell";
            inherit system;
            builder = if shell == "" then "/bin/sh" else shell;
            args = [
              "-c"
              "echo > $out"
            ];
          };

        rustPlatform.buildRustPackage =
          arguments:
          derivation {
            name = "${arguments.pname}-${arguments.version}";
            inherit system;
            builder = if shell == "" then "/bin/sh" else shell;
            args = [
              "-euc"
              ''
                export PATH=${path} HOME=$TMPDIR CARGO_HOME=$TMPDIR/cargo CARGO_INCREMENTAL=0
                vendor=$TMPDIR/vendor
                mkdir -p "$vendor" "$CARGO_HOME"
                ${if crates == "" then "" else vendor arguments.cargoLock.lockFile}
                printf '[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "%s"\n' "$vendor" > "$CARGO_HOME/config.toml"
                cp -r ${arguments.src} $TMPDIR/source
                chmod -R u+w $TMPDIR/source
                cd $TMPDIR/source
                ${
                  arguments.buildPhase or "cargo build --locked --offline ${
                    builtins.concatStringsSep " " (arguments.cargoBuildFlags or [ ])
                  }"
                }
                ${
                  arguments.installPhase or ''
                    mkdir -p $out/bin
                    find target/debug -maxdepth 1 -type f -perm -u+x -exec cp {} $out/bin/ \;
                  ''
                }
              ''
            ];
          }
          // {
            meta = arguments.meta;
          };
      };
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ] packagesFor;
    };
}
