"""Builds the wheel: CMake makes libmoho and the extension module, here they are laid together with the libraries that they need.

One wheel serves Python 3.11 and later (the limited API). On Linux every library but the C library's own comes along in moho/lib, found
by run paths relative to where they lie; the wheel is named after the C library that they need. MOHO_BUILD_FOLDER names a folder that
CMake has built in before, else build-wheel is used (and kept: the next time is quick).
"""

import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:
    try:
        from wheel.bdist_wheel import bdist_wheel
    except ImportError:
        bdist_wheel = None

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = pathlib.Path(os.environ.get("MOHO_BUILD_FOLDER", HERE / "build-wheel")).resolve()
IS_LINUX = sys.platform.startswith("linux")
OF_THE_SYSTEM = re.compile(r"(libc|libm|libdl|librt|libpthread|ld-linux[^ ]*)\.so|linux-vdso|ld-linux")
JOBS = os.environ.get("JOBS") or str(os.cpu_count())


def version():
    """Of the library: CMakeLists.txt says it once."""
    return re.search(r"project\(moho VERSION ([0-9.]+)", (HERE / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)


def said_by(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def need(tool, package):
    if not shutil.which(tool):
        raise SystemExit(f"moho: {tool} is not installed, and the wheel needs it: install {package}, or run scripts/setup.sh python")


class BuildByCMake(build_ext):
    """The one extension module, and libraries beside it."""

    def build_extension(self, ext):
        self.run_cmake()
        module = pathlib.Path(self.get_ext_fullpath(ext.name))
        libraries = module.parent / "lib"
        shutil.rmtree(libraries, ignore_errors=True)
        libraries.mkdir(parents=True)
        shutil.copy2(FOLDER / "python" / "moho" / "_moho.abi3.so", module)
        if IS_LINUX:
            self.take(module, libraries)
        else:
            self.take_one(module, libraries)

    @staticmethod
    def run_cmake():
        need("cmake", "cmake")
        if not (FOLDER / "CMakeCache.txt").exists():
            ninja = ["-G", "Ninja"] if shutil.which("ninja") else []
            compiler = [f"-DCMAKE_C_COMPILER={os.environ.get('CC') or shutil.which('clang') or 'cc'}"]
            subprocess.run(["cmake", "-S", HERE, "-B", FOLDER, *ninja, *compiler, f"-DPython3_EXECUTABLE={sys.executable}",
                            "-DMOHO_PYTHON=ON", "-DMOHO_WERROR=OFF", "-DCMAKE_BUILD_TYPE=RelWithDebInfo"], check=True)
        subprocess.run(["cmake", "--build", FOLDER, "-j", JOBS, "--target", "moho_python"], check=True)

    @staticmethod
    def take(module, libraries):
        """Every library that is needed, under the name that is asked for."""
        need("patchelf", "patchelf")
        for line in said_by("ldd", module).splitlines():
            found = re.match(r"\s*(\S+) => (/\S+) ", line)
            if not found or OF_THE_SYSTEM.match(found.group(1)):
                if "not found" in line:
                    raise SystemExit(f"moho: {line.strip()}")
                continue
            shutil.copy(found.group(2), libraries / found.group(1))
        for path in [module, *libraries.iterdir()]:
            path.chmod(0o755)
            subprocess.run(["strip", "--strip-unneeded", path], check=True)
            # Old-style run paths also hold for what is needed by what is needed.
            subprocess.run(["patchelf", "--force-rpath", "--set-rpath", "$ORIGIN/lib" if path == module else "$ORIGIN", path], check=True)

    @staticmethod
    def take_one(module, libraries):
        """macOS: libmoho comes along; Homebrew's libraries stay where they are."""
        name = next(line.split()[0] for line in said_by("otool", "-L", module).splitlines() if "libmoho" in line)
        taken = libraries / pathlib.Path(name).name
        shutil.copy(FOLDER / taken.name, taken)
        subprocess.run(["install_name_tool", "-change", name, f"@loader_path/lib/{taken.name}", module], check=True)


def platform_tag(folder):
    """manylinux_2_36_x86_64: the newest version of the C library that any of the files asks for (PEP 600)."""
    files = [path for path in pathlib.Path(folder).rglob("*.so*") if path.is_file()]
    asked = [int(minor) for path in files for minor in re.findall(r"GLIBC_2\.(\d+)", said_by("objdump", "-T", path))]
    return f"manylinux_2_{max(asked)}_{platform.machine()}"


commands = {"build_ext": BuildByCMake}
if bdist_wheel:
    class NamedWheel(bdist_wheel):
        """Tagged for the limited API, and for the C library that is really needed."""

        def get_tag(self):
            python, abi, system = super().get_tag()
            built = pathlib.Path(self.get_finalized_command("build_ext").get_ext_fullpath("moho._moho")).parent
            return python, abi, platform_tag(built) if IS_LINUX and built.exists() else system

    commands["bdist_wheel"] = NamedWheel

(FOLDER / "setuptools").mkdir(parents=True, exist_ok=True)
setup(
    version=version(),
    packages=["moho", "pstm_metal"],
    package_dir={"": "python"},
    package_data={"moho": ["py.typed", "*.pyi"], "pstm_metal": ["py.typed", "*.pyi"]},
    license_files=["LICENSE"],
    ext_modules=[Extension("moho._moho", sources=[], py_limited_api=True)],
    cmdclass=commands,
    options={"build": {"build_base": str(FOLDER / "setuptools")}, "egg_info": {"egg_base": str(FOLDER / "setuptools")},
             "bdist_wheel": {"py_limited_api": "cp311"}},
)
