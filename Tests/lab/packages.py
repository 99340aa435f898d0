"""Repositories of the lab, as files that a web server hands out: one small package for each package manager.

Usage: packages.py FOLDER URL   (URL is where FOLDER will be found)
"""

import base64
import hashlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

PLACE, URL = pathlib.Path(sys.argv[1]), sys.argv[2]


def write(path, content):
    path = PLACE / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def packed(files):
    """A tar file, compressed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def repository(name, files):
    """A bare repository of git that needs no program on the server."""
    with tempfile.TemporaryDirectory() as work:
        git = ["git", "-C", work, "-c", "user.name=lab", "-c", "user.email=lab@lab.test"]
        subprocess.run(git + ["init", "-q", "-b", "main"], check=True)
        for path, text in files.items():
            (pathlib.Path(work) / path).parent.mkdir(parents=True, exist_ok=True)
            (pathlib.Path(work) / path).write_text(text)
        subprocess.run(git + ["add", "."], check=True)
        subprocess.run(git + ["commit", "-qm", "one"], check=True)
        (PLACE).mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "clone", "-q", "--bare", work, str(PLACE / name)], check=True)
        subprocess.run(["git", "-C", str(PLACE / name), "update-server-info"], check=True)


# git
repository("repo.git", {"word": "from-git\n"})

# pip
info = "lab_package-1.0.dist-info/"
wheel = {
    "lab_package.py": 'word = "from-pip"\n',
    info + "METADATA": "Metadata-Version: 2.1\nName: lab-package\nVersion: 1.0\n",
    info + "WHEEL": "Wheel-Version: 1.0\nGenerator: lab\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    info + "RECORD": "".join(f"{name},,\n" for name in ("lab_package.py", info + "METADATA", info + "WHEEL", info + "RECORD")),
}
write("lab_package-1.0-py3-none-any.whl", zipped(wheel))
write("simple/lab-package/index.html", f'<a href="{URL}/lab_package-1.0-py3-none-any.whl">lab_package-1.0-py3-none-any.whl</a>')

# npm
tarball = packed({
    "package/package.json": '{"name": "lab-package", "version": "1.0.0", "main": "index.js"}',
    "package/index.js": 'module.exports = "from-npm"\n',
})
write("npm-files/lab-package-1.0.0.tgz", tarball)
version = {
    "name": "lab-package", "version": "1.0.0", "main": "index.js",
    "dist": {"tarball": f"{URL}/npm-files/lab-package-1.0.0.tgz", "shasum": hashlib.sha1(tarball).hexdigest()},
}
write("npm/lab-package", json.dumps(
    {"name": "lab-package", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}))

# go
module = "lab.test/mod"
write(f"go/{module}/@v/list", "v1.0.0\n")
write(f"go/{module}/@v/v1.0.0.info", '{"Version": "v1.0.0", "Time": "2026-01-01T00:00:00Z"}')
write(f"go/{module}/@v/v1.0.0.mod", f"module {module}\n")
write(f"go/{module}/@v/v1.0.0.zip", zipped({
    f"{module}@v1.0.0/go.mod": f"module {module}\n", f"{module}@v1.0.0/word.go": 'package mod\n\nconst Word = "from-go"\n'}))

# cargo
crate = packed({
    "lab-package-1.0.0/Cargo.toml": '[package]\nname = "lab-package"\nversion = "1.0.0"\n',
    "lab-package-1.0.0/src/lib.rs": 'pub const WORD: &str = "from-cargo";\n',
})
write("crates/lab-package-1.0.0.crate", crate)
line = {"name": "lab-package", "vers": "1.0.0", "deps": [], "cksum": hashlib.sha256(crate).hexdigest(), "features": {}, "yanked": False}
index = {
    "config.json": json.dumps({"dl": URL + "/crates/{crate}-{version}.crate"}), "la/b-/lab-package": json.dumps(line) + "\n"}
repository("index.git", index)
for name, text in index.items():
    write("sparse/" + name, text)

# maven, gradle
for name, kind in (("parent", "pom"), ("thing", "jar")):
    pom = (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>test.lab</groupId><artifactId>{name}</artifactId><version>1.0</version><packaging>{kind}</packaging>"
        f"<description>from-maven</description><url>{URL}/maven/</url></project>"
    ).encode()
    files = {f"{name}-1.0.pom": pom}
    if kind == "jar":
        files[f"{name}-1.0.jar"] = zipped({"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n"})
    for file, content in files.items():
        write(f"maven/test/lab/{name}/1.0/{file}", content)
        write(f"maven/test/lab/{name}/1.0/{file}.sha1", hashlib.sha1(content).hexdigest())

# nuget: one entry of the feed as OData has it, and a package as the open packaging conventions have it
ATOM, DATA = "http://www.w3.org/2005/Atom", "http://schemas.microsoft.com/ado/2007/08/dataservices"
RELATION = "http://schemas.microsoft.com/packaging/2010/07"
package = zipped({
    "lab-package.nuspec": f'<?xml version="1.0"?><package xmlns="{RELATION}/nuspec.xsd"><metadata><id>lab-package</id>'
    "<version>1.0.0</version><authors>lab</authors><description>lab</description></metadata></package>",
    "content/word.txt": "from-nuget\n",
    "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    + "".join(f'<Default Extension="{kind}" ContentType="application/octet"/>' for kind in ("nuspec", "txt", "rels")) + "</Types>",
    "_rels/.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Type="{RELATION}/manifest" Target="/lab-package.nuspec" Id="R1"/></Relationships>',
})
write("lab-package.1.0.0.nupkg", package)
write("nuget/index.html", "")
write("nuget/Packages(Id='lab-package',Version='1.0.0')", (
    f'<?xml version="1.0"?><entry xmlns="{ATOM}" xmlns:d="{DATA}" xmlns:m="{DATA}/metadata"><id>{URL}/nuget</id>'
    '<title type="text">lab-package</title><updated>2026-01-01T00:00:00Z</updated><author><name>lab</name></author>'
    f'<content type="application/zip" src="{URL}/lab-package.1.0.0.nupkg"/><m:properties><d:Version>1.0.0</d:Version>'
    f"<d:PackageHash>{base64.b64encode(hashlib.sha512(package).digest()).decode()}</d:PackageHash>"
    "<d:PackageHashAlgorithm>SHA512</d:PackageHashAlgorithm></m:properties></entry>"))

# nuget, version 3: the service index, the versions of a package, the package (learn.microsoft.com/nuget/api/overview)
resources = [{"@id": f"{URL}/nuget-v3/flat/", "@type": "PackageBaseAddress/3.0.0"},
             {"@id": f"{URL}/nuget-v3/query", "@type": "SearchQueryService"},
             {"@id": f"{URL}/nuget-v3/registration/", "@type": "RegistrationsBaseUrl"},
             {"@id": "https://elsewhere.example/v3/registration/", "@type": "RegistrationsBaseUrl/3.6.0"}]
write("nuget-v3/index.json", json.dumps({"version": "3.0.0", "resources": resources}))
write("nuget-v3/flat/lab-package/index.json", json.dumps({"versions": ["1.0.0"]}))
write("nuget-v3/flat/lab-package/1.0.0/lab-package.1.0.0.nupkg", package)
# learn.microsoft.com/nuget/api/registration-base-url-resource: index, page and leaf, each with all URLs that it may have
registration = f"{URL}/nuget-v3/registration/lab-package"
content = f"{URL}/nuget-v3/flat/lab-package/1.0.0/lab-package.1.0.0.nupkg"
entry = {"@id": f"{URL}/nuget-v3/catalog/lab-package.1.0.0.json", "id": "lab-package", "version": "1.0.0", "packageContent": content,
         "licenseUrl": "https://elsewhere.example/licence", "projectUrl": URL.replace("https://", "https://not-") + "/x", "dependencyGroups": [
             {"dependencies": [{"id": "other", "range": "[1.0.0, )", "registration": f"{URL}/nuget-v3/registration/other/index.json"}]}]}
page = {"@id": f"{registration}/page/1.0.0/1.0.0.json", "count": 1, "lower": "1.0.0", "upper": "1.0.0",
        "parent": f"{registration}/index.json"}
leaf = {"@id": f"{registration}/1.0.0.json", "catalogEntry": entry, "packageContent": content, "registration": f"{registration}/index.json"}
for name, document in (("index", {"@id": f"{registration}/index.json", "count": 1, "items": [page]}),
                       ("page/1.0.0/1.0.0", page | {"items": [leaf]}), ("1.0.0", leaf)):
    write(f"nuget-v3/registration/lab-package/{name}.json", json.dumps(document))

# apt
write("deb/Packages", "Package: lab-tool\nVersion: 1.0\nArchitecture: all\nMaintainer: lab\nFilename: ./none.deb\n"
      f"Size: 1\nSHA256: {0:064d}\nDescription: from-apt\n\n")
packages = (PLACE / "deb/Packages").read_bytes()
date = subprocess.run(["date", "-Ru"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
write("deb/Release", f"Suite: ./\nDate: {date}\nSHA256:\n {hashlib.sha256(packages).hexdigest()} {len(packages)} Packages\n")
