{
  description = "yoi: the runtime server, Backend and testkit for long-lived agent Workers";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;

      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      forEachSystem = build: lib.genAttrs systems (system: build nixpkgs.legacyPackages.${system});

      # What cargo reads, and nothing else: an edit of README rebuilds nothing.
      sources = [
        ".cargo"
        ".clippy.toml"
        "Cargo.lock"
        "Cargo.toml"
        "crates"
        "deny.toml"
        "fixtures"
        "rustfmt.toml"
        "snapshots"
        "testkit"
        "tests"
      ];
      source = builtins.path {
        name = "yoi-source";
        path = ./.;
        filter =
          path: _type:
          let
            inside = lib.removePrefix "${toString ./.}/" (toString path);
          in
          builtins.any (name: inside == name || lib.hasPrefix "${name}/" inside) sources;
      };

      manifest = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).workspace.package;

      cargoPackage =
        pkgs: extra:
        pkgs.rustPlatform.buildRustPackage (
          {
            pname = "yoi";
            inherit (manifest) version;
            src = source;
            cargoLock.lockFile = ./Cargo.lock;
            meta = {
              description = "Long-lived agent Workers on many machines, behind one Backend";
              license = lib.licenses.mit;
              mainProgram = "yoi";
            };
          }
          // extra
        );

      # One cargo command as a derivation: it succeeds or there is no check.
      cargoCheck =
        pkgs: name: command:
        cargoPackage pkgs {
          pname = "yoi-${name}";
          nativeBuildInputs = [
            pkgs.clippy
            pkgs.rustfmt
          ];
          buildPhase = command;
          doCheck = false;
          installPhase = "mkdir -p $out";
        };
    in
    {
      packages = forEachSystem (pkgs: rec {
        yoi = cargoPackage pkgs {
          cargoBuildFlags = [
            "--package=yoi"
            "--package=worker-runtime"
            "--features=worker-runtime/ws-server"
          ];
          # The tests are a check of their own, below.
          doCheck = false;
        };
        default = yoi;
      });

      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.cargo
            pkgs.cargo-deny
            pkgs.cargo-hack
            pkgs.cargo-insta
            pkgs.clippy
            pkgs.rustc
            pkgs.rustfmt
          ];
        };
      });

      checks = forEachSystem (pkgs: {
        inherit (self.packages.${pkgs.system}) yoi;
        fmt = cargoCheck pkgs "fmt" "cargo fmt --all --check";
        clippy = cargoCheck pkgs "clippy" "cargo clippy --workspace --all-targets --offline --locked -- -D warnings";
        tests = cargoCheck pkgs "tests" "cargo test --workspace --offline --locked";
        docs = cargoCheck pkgs "docs" "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --offline --locked";
      });
    };
}
