#!/usr/bin/env python3
"""What the kernels' texts may not hold because Metal's language, CUDA C++ and C do not share it (kernels/kern.h), or because it
hangs a GPU: a barrier or SIMD operation that some lanes do not reach.

    tests/metal/kernel_lint.py [FILE.k ...]        default: every .k that git knows; headers that they include are looked at too

A text is read as tokens, macros unexpanded and all branches of #if taken; what lies behind a pointer is not followed. It finds
what a reader would find with some patience, not everything: compilers, the test double's schedules and compute-sanitizer
follow. Exit code 1 and lines FILE:LINE: WHAT where something is found.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KERNELS = ROOT / "kernels"

SPACES = {"GLOBAL", "LOCAL", "PRIVATE", "CONSTANT", "BOUND_SPACE"}  # the last: kernels/migrate_tile_shape.h, one of the first two
TYPES = {"float", "int", "uint", "ushort", "uchar", "short", "char", "float2", "float4", "uint4", "void", "ATOMIC_WORD"}

# Words that one of the three languages lacks or means otherwise, by what to say of them.
FORBIDDEN = {
    "no machine here computes in it or all differ in its size": "double long size_t ssize_t int64_t uint64_t intptr_t uintptr_t ptrdiff_t bool float3 "
                                                                "int3 uint3 half2 bfloat __half",
    "its sign differs between machines: uchar or int": "char",
    "there is kern.h's word for it": "device thread threadgroup constant kernel restrict __restrict __restrict__ inline __attribute__ __global__ "
                                     "__device__ __shared__ __constant__ __syncthreads __syncwarp threadgroup_barrier simdgroup_barrier "
                                     "threadIdx blockIdx blockDim gridDim as_type atomicAdd atomicOr atomic_uint asm __asm__ _Pragma",
    "C, CUDA and Metal do not share it": "template class namespace using operator new delete throw try catch virtual friend public private "
                                         "protected typename this mutable explicit export noexcept constexpr auto register thread_local goto union "
                                         "static extern volatile _Generic typeof __typeof__ _Static_assert static_assert alignas _Alignas "
                                         "setjmp va_list nullptr true false NULL and or not xor bitand bitor compl",
    "it is a word of Metal's language": "half vertex fragment texture2d texture3d sampler",
    "libraries are out of reach": "printf malloc free memcpy memset assert abort",
}
MATHEMATICS = "sqrt rsqrt cbrt floor ceil round rint trunc nearbyint fabs abs fmin fmax min max fma mad exp exp2 log log2 log10 pow sin cos tan asin " \
              "acos atan atan2 sincos hypot fmod remainder ldexp frexp copysign sign clamp mix saturate step smoothstep select isnan isinf " \
              "isfinite signbit popcount ctz clz".split()
WORDS = {word: why for why, words in FORBIDDEN.items() for word in words.split()}
for function in MATHEMATICS:
    for word in {function, function + "f", "__" + function + "f"} - {"minf", "maxf", "absf"}:
        WORDS.setdefault(word + "(", "mathematics by kern.h's words only (SQRT, FMA, MIN, ...): names, types and rounding differ")

TOKEN = re.compile(r'(?P<string>"(?:\\.|[^"\\])*")|(?P<number>(?:0[xX][0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?(?:[pP][-+]?\d+)?|\d*\.\d+(?:[eE][-+]?\d+)?|'
                   r'\d+\.?(?:[eE][-+]?\d+)?)[a-zA-Z]*)|(?P<name>[A-Za-z_]\w*)|(?P<sign>->|\+\+|--|<<=|>>=|[-+*/%&|^=!<>]=|&&|\|\||<<|>>|.)', re.S)
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "++", "--"}

GROUP_OPERATIONS = {"BARRIER", "BARRIER_GLOBAL"}
SIMD_OPERATIONS = {"SIMD_BARRIER", "SIMD_BALLOT", "SIMD_ANY", "SIMD_ALL", "SIMD_SHUFFLE", "SIMD_SHUFFLE_XOR", "SIMD_SUM", "SIMD_MAX"}
# How far lanes may differ in a value: not within a group, not within a SIMD group, or at all.
GROUP_WIDE, SIMD_WIDE, LANE_WIDE = 0, 1, 2
LEVELS = {"LANE": LANE_WIDE, "SIMD_LANE": LANE_WIDE, "SIMD_GROUP": SIMD_WIDE, "ATOMIC_ADD": LANE_WIDE, "LOCAL_ATOMIC_ADD": LANE_WIDE, "ATOMIC_OR": LANE_WIDE}


class Token:
    def __init__(self, kind, text, path, line):
        self.kind, self.text, self.path, self.line = kind, text, path, line


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


class Text:
    """A kernel's text with the headers it includes, as tokens."""

    def __init__(self, path):
        self.tokens, self.complaints, self.seen = [], [], set()
        self.read(path)
        typedefs = re.compile(r"\}\s*(\w+)\s*;|typedef\s+[\w ]+?(\w+)\s*;")
        self.types = TYPES | {name for seen in self.seen for pair in typedefs.findall(strip(seen)) for name in pair if name}

    def complain(self, path, line, words):
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        complaint = f"{name}:{line}: {words}"
        if complaint not in self.complaints:
            self.complaints.append(complaint)

    def read(self, path):
        self.seen.add(path)
        for number, line in enumerate(strip(path).split("\n"), 1):
            include = re.match(r"\s*#\s*include\s+(.*)", line)
            if include:
                self.include(path, number, include.group(1).strip())
            elif re.match(r"\s*#", line):
                self.directive(path, number, line)
            else:
                self.tokens += tokens_of(line, path, number)

    def include(self, path, number, name):
        if not re.fullmatch(r'"[\w/.]+"', name):
            self.complain(path, number, f"{name} is out of a GPU's reach: include headers of the kernels by name in quotes")
            return
        for folder in (path.parent, KERNELS):
            found = folder / name.strip('"')
            if found.exists():
                if found not in self.seen and found.name != "kern.h":
                    self.read(found)
                return
        self.complain(path, number, f"{name} is neither beside this file nor in kernels/")

    def directive(self, path, number, line):
        if not re.match(r"\s*#\s*(define|undef|if|ifdef|ifndef|elif|else|endif|error)\b", line):
            self.complain(path, number, f"{line.strip()}: not all compilers know it")
        define = re.match(r"\s*#\s*define\s+\w+(\([^)]*\))?(.*)", line)
        if define:
            check_words(self, tokens_of(define.group(2), path, number))


def strip(path):
    """The text without comments, lines kept; lines that a backslash joins are one, followed by empty ones."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", blank, path.read_text(encoding="utf-8"), flags=re.S)
    return re.sub(r"(?:[^\n]*\\\n)+[^\n]*", lambda m: m.group().replace("\\\n", " ") + "\n" * m.group().count("\\\n"), text)


def tokens_of(line, path, number):
    return [Token(m.lastgroup, m.group(), path, number) for m in TOKEN.finditer(line) if not m.group().isspace()]


# ---- words, numbers, pointers ----


def check_words(text, tokens):
    for i, token in enumerate(tokens):
        before, after = (tokens[i - 1].text if i else ""), (tokens[i + 1].text if i + 1 < len(tokens) else "")
        if token.kind == "name":
            why = WORDS.get(token.text) or (WORDS.get(token.text + "(") if after == "(" else None)
            if why:
                text.complain(token.path, token.line, f"'{token.text}': {why}")
        elif token.kind == "number" and not is_real(tokens[max(i - 3, 0):i]):
            check_number(text, token)
        elif token.text == "." and before in ("{", ",") and after.isidentifier():
            text.complain(token.path, token.line, f"'.{after} =': CUDA C++ and Metal have no designated initialisers")
        elif token.text == "{" and before == ")" and i > 2 and tokens[i - 2].text in text.types and tokens[i - 3].text == "(":
            text.complain(token.path, token.line, "a compound literal is C's alone")


def is_real(before):
    """Inside R(...): physics.h is read with REAL double too."""
    return [t.text for t in before if t.text != "-"][-2:] == ["R", "("]


def check_number(text, token):
    number = token.text.lower()
    is_hex = number.startswith("0x")
    has_fraction = "." in number or "p" in number or not is_hex and "e" in number
    if has_fraction and not number.endswith("f"):
        text.complain(token.path, token.line, f"{token.text}: without an f it is a double")
    elif not has_fraction and ("l" in number or not is_hex and number.endswith(("f", "h"))):
        text.complain(token.path, token.line, f"{token.text}: integers have 32 bits and no suffix but u")


def check_pointers(text):
    tokens = text.tokens
    for i, token in enumerate(tokens[:-1]):
        if token.text not in text.types or tokens[i + 1].text != "*":
            continue
        j = i - 1
        while j >= 0 and tokens[j].text in ("const", "struct", "unsigned"):
            j -= 1
        if j < 0 or tokens[j].text not in SPACES:
            text.complain(token.path, token.line, f"'{token.text} *': on Metal a pointer names its space: GLOBAL, LOCAL, PRIVATE or CONSTANT")


# ---- what stands at file scope ----


class Function:
    def __init__(self, name, head, parameters, body):
        self.name, self.head, self.parameters, self.body = name, head, parameters, body
        self.operations = set()  # "group", "simd": what it, or what it calls, has of them
        self.returns = GROUP_WIDE
        self.levels = {}
        self.shared = shared_names(parameters + body)


def shared_names(tokens):
    """Pointers to group or device memory."""
    names = {tokens[i + 6].text for i, t in enumerate(tokens[:-6]) if t.text in ("IN", "INOUT")}
    names |= {tokens[i + 3].text for i, t in enumerate(tokens[:-3]) if t.text in ("GLOBAL", "LOCAL", "BOUND_SPACE") and tokens[i + 2].text == "*"}
    return names | {tokens[i + 4].text for i, t in enumerate(tokens[:-4]) if t.text == "INOUT_ATOMIC"}


def closing(tokens, i):
    """Of the bracket at i: the place of the one that closes it."""
    pairs, depth = {"(": ")", "[": "]", "{": "}"}, 0
    opening, closed = tokens[i].text, pairs[tokens[i].text]
    while i < len(tokens):
        depth += (tokens[i].text == opening) - (tokens[i].text == closed)
        if depth == 0:
            return i
        i += 1
    return len(tokens) - 1


def functions_of(text):
    """The functions; complains of what else stands at file scope."""
    found, tokens, i = {}, text.tokens, 0
    while i < len(tokens):
        j = i
        while j < len(tokens) and tokens[j].text not in ("(", "{", ";", "="):
            j += 1
        if j >= len(tokens):
            break
        first = tokens[i]
        if tokens[j].text == "(":
            end = closing(tokens, j)
            if end + 1 < len(tokens) and tokens[end + 1].text == "{":
                last = closing(tokens, end + 1)
                is_kernel = first.text in ("KERNEL", "KERNEL_GROUP")
                name = tokens[j + 1].text if is_kernel else tokens[j - 1].text
                found[name] = Function(name, first, tokens[j + 1:end], tokens[end + 1:last + 1])
                check_head(text, found[name], is_kernel)
                i = last + 1
                continue
            i = end + 1
            continue
        end = j
        while end < len(tokens) and tokens[end].text != ";":
            end = closing(tokens, end) + 1 if tokens[end].text in ("(", "{", "[") else end + 1
        if first.text == "typedef":
            check_members(text, tokens[i:end])
        elif first.text not in ("struct", "enum", ";"):
            text.complain(first.path, first.line, f"'{first.text} ...': no variables at file scope: #define, or a parameter")
        i = end + 1
    return found


def check_head(text, function, is_kernel):
    head = function.head
    if not is_kernel and head.text not in ("DEVICE_FUNCTION", "RARE_FUNCTION", "PHYSICS_FUNCTION"):
        text.complain(head.path, head.line, f"function {function.name}: begin with DEVICE_FUNCTION")
    if is_kernel:
        check_arguments(text, function)
        return
    for token, after in zip(function.parameters, function.parameters[1:]):
        if after.text == "[" and token.kind == "name":
            text.complain(token.path, token.line, f"parameter {token.text}[]: an array is a pointer without a space here")
    if function.name in MATHEMATICS:
        text.complain(head.path, head.line, f"function {function.name}: Metal's library has one of this name")


def check_arguments(text, function):
    """IN(0, ...), INOUT(1, ...), ..., PARAM(n, ...): in order, at most 31."""
    head, number, ended = function.head, 0, False
    for i, token in enumerate(function.parameters):
        if token.text in ("IN", "INOUT", "INOUT_ATOMIC", "PARAM"):
            index = function.parameters[i + 2].text
            if index != str(number) or ended:
                text.complain(token.path, token.line, f"kernel {function.name}: {token.text}({index}, ...), expected number {number}"
                              + (" before PARAM" if ended else ""))
            number, ended = number + 1, token.text == "PARAM"
    if number > 31:
        text.complain(head.path, head.line, f"kernel {function.name}: {number} arguments, Metal has places for 31")


def check_members(text, tokens):
    for token in tokens:
        if token.text in ("short", "ushort", "uchar") and "struct" in (tokens[1].text,):
            text.complain(token.path, token.line, f"'{token.text}' in a struct: members have 4 bytes, so that all compilers lay it out alike")


# ---- recursion, and what lanes reach together ----


def check_recursion(text, functions):
    calls = {name: {t.text for t in f.body if t.text in functions} for name, f in functions.items()}
    for name, function in functions.items():
        reached, todo = set(), list(calls[name])
        while todo:
            callee = todo.pop()
            if callee not in reached:
                reached.add(callee)
                todo += calls[callee]
        if name in reached:
            text.complain(function.head.path, function.head.line, f"function {name} calls itself, on a way or directly: a GPU has no stack for it")


class Walk:
    """One function, statement by statement: how far its values differ between lanes, and under which conditions it meets others."""

    def __init__(self, text, functions, function, is_last):
        self.text, self.functions, self.function, self.is_last = text, functions, function, is_last
        self.tokens, self.levels = function.body, function.levels
        self.left = GROUP_WIDE  # lanes that have gone: from here on to the function's end
        self.broken, self.continued = [GROUP_WIDE], [GROUP_WIDE]  # of the loops around, and of their present turn
        self.statement(0, GROUP_WIDE)

    def level(self, tokens):
        """How far an expression differs between lanes."""
        result, i = GROUP_WIDE, 0
        while i < len(tokens):
            name = tokens[i].text
            is_call = i + 1 < len(tokens) and tokens[i + 1].text == "("
            callee = self.functions.get(name)
            if is_call and (name in SIMD_OPERATIONS or callee and "simd" in callee.operations):
                result = max(result, SIMD_WIDE if name in SIMD_OPERATIONS else callee.returns)
                i = closing(tokens, i + 1)
            else:
                is_member = i > 0 and tokens[i - 1].text in (".", "->")
                result = max(result, 0 if is_member else LEVELS.get(name, self.levels.get(name, GROUP_WIDE)),
                             callee.returns if is_call and callee else GROUP_WIDE)
            i += 1
        return result

    def statement(self, i, level):
        """The statement at i, reached under conditions of this level. Gives the place after it."""
        tokens, text = self.tokens, self.tokens[i].text
        if text in ("UNROLL", "UNROLL_ALL"):
            return self.statement(closing(tokens, i + 1) + 1 if text == "UNROLL" else i + 1, level)
        if text == "{":
            end = closing(tokens, i)
            i += 1
            while i < end:
                i = self.statement(i, level)
            return end + 1
        if text == "if":
            end = closing(tokens, i + 1)
            inner = self.condition(tokens[i + 2:end], level)
            i = self.statement(end + 1, inner)
            return self.statement(i + 1, inner) if i < len(tokens) and tokens[i].text == "else" else i
        if text in ("for", "while"):
            end = closing(tokens, i + 1)
            return self.loop(end + 1, tokens[i + 2:end], level)
        if text == "do":
            return closing(tokens, self.loop(i + 1, [], level) + 1) + 2
        end = i
        while end < len(tokens) and tokens[end].text not in (";", "}"):
            end = closing(tokens, end) + 1 if tokens[end].text in ("(", "[", "{") else end + 1
        self.simple(tokens[i:end], level)
        return end + 1

    def loop(self, i, head, level):
        """Twice: the lanes that leave in one turn are missing in the next."""
        self.broken.append(GROUP_WIDE)
        for _ in range(2):
            self.continued.append(GROUP_WIDE)
            end = self.statement(i, self.condition(head, level))
            self.continued.pop()
        self.broken.pop()
        return end

    def condition(self, tokens, level):
        self.simple(tokens, level)
        return max(level, self.level(tokens))

    def simple(self, tokens, level):
        self.assign(tokens, level)
        self.meet(tokens, level)
        text = tokens[0].text if tokens else ""
        if text == "return":
            self.left = max(self.left, level)
            self.function.returns = max(self.function.returns, level, self.level(tokens[1:]))
        elif text == "break":
            self.broken[-1] = max(self.broken[-1], level)
        elif text == "continue":
            self.continued[-1] = max(self.continued[-1], level)

    def assign(self, tokens, level):
        """name = value, name[...] op= value, name++: the name takes the value's level, and that of the way here."""
        start = 0
        for i, token in enumerate(tokens):
            if token.text in (",", ";") and tokens[start:i].count("(") == 0:
                start = i + 1
            if token.text not in ASSIGNMENTS:
                continue
            name = self.target(tokens, i) if i and tokens[i - 1].text not in (",", ";", "(") else tokens[i + 1].text if i + 1 < len(tokens) else ""
            end, depth = i + 1, 0
            while end < len(tokens) and (depth or tokens[end].text not in (",", ";")) and depth >= 0:
                depth += (tokens[end].text in ("(", "[")) - (tokens[end].text in (")", "]"))
                end += 1
            if name in self.function.shared and i and tokens[i - 1].text != name:
                continue  # memory of the group or the device: who reads one place gets one value
            self.levels[name] = max(self.levels.get(name, GROUP_WIDE), level, self.level(tokens[i + 1:end]))

    @staticmethod
    def target(tokens, i):
        """The variable before the assignment at i: of `a`, `a[k]`, `a.b`, `a->b[k]` it is a."""
        i -= 1
        while i > 0:
            if tokens[i].text == "]":
                depth = 0
                while i > 0:
                    depth += (tokens[i].text == "]") - (tokens[i].text == "[")
                    if depth == 0:
                        break
                    i -= 1
                i -= 1
            elif tokens[i - 1].text in (".", "->"):
                i -= 2
            else:
                break
        return tokens[i].text

    def meet(self, tokens, level):
        """Barriers, SIMD operations and functions that have them."""
        way = max(level, self.left, *self.broken, *self.continued)
        for i, token in enumerate(tokens):
            name, callee = token.text, self.functions.get(token.text)
            group = name in GROUP_OPERATIONS or callee is not None and "group" in callee.operations
            simd = name in SIMD_OPERATIONS or callee is not None and "simd" in callee.operations
            if not group and not simd:
                continue
            self.function.operations |= {kind for kind, has in (("group", group), ("simd", simd)) if has}
            before = tokens[:i]
            here = max(way, self.level(before)) if any(t.text in ("&&", "||", "?") for t in before) else way
            if self.is_last and (group and here > GROUP_WIDE or here > SIMD_WIDE):
                whole = "the group" if group else "its SIMD group"
                self.text.complain(token.path, token.line, f"{name} is not reached by all lanes of {whole}: a condition on the way to it, or an "
                                   "earlier return, break or continue, depends on the lane")


def check_meetings(text, functions):
    for turn in range(4):  # values go round in loops, and from functions to their callers
        for function in functions.values():
            Walk(text, functions, function, turn == 3)


def lint(path):
    """Complaints about a kernel's text and the headers it includes."""
    text = Text(pathlib.Path(path).resolve())
    check_words(text, text.tokens)
    check_pointers(text)
    functions = functions_of(text)
    check_recursion(text, functions)
    check_meetings(text, functions)
    return text.complaints


def main():
    files = sys.argv[1:] or subprocess.run(["git", "ls-files", "*.k"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    complaints = [complaint for file in files for complaint in lint(ROOT / file)]
    for complaint in dict.fromkeys(complaints):
        print(complaint)
    if not files:
        print("kernel_lint: there is no .k file")
    if complaints or not files:
        sys.exit(1)
    print(f"kernel_lint: {len(files)} texts, nothing to complain about")


if __name__ == "__main__":
    main()
