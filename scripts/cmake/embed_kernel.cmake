# embed_kernel.cmake - a kernel's text as a C string, its includes in their places.
#
# Included by the build, or by find_package(moho) in a project that uses Moho, it defines moho_embed_kernels(); run as a script
# it makes one file: cmake -DINPUT=x.k -DOUTPUT=x_text.c -DNAME=x -P embed_kernel.cmake
# Flattening: #include "x.h" is looked for beside the including file, then in kernels/, and replaced by that file between #line
# directives, so that compilers report our files and lines; #include "kern.h" stays (src/device puts kern.h there at run time);
# any other include is an error.

# Where kern.h lies: in the tree, or where it was installed.
if(NOT MOHO_KERNELS)
  cmake_path(SET MOHO_KERNELS NORMALIZE ${CMAKE_CURRENT_LIST_DIR}/../../kernels)
endif()

# moho_embed_kernels(<target> <file.k> ...): <name>_text.c with `const char moho_text_<name>[]` becomes part of the target.
function(moho_embed_kernels target)
  target_include_directories(${target} PRIVATE ${MOHO_KERNELS})
  foreach(file ${ARGN})
    cmake_path(ABSOLUTE_PATH file NORMALIZE OUTPUT_VARIABLE input)
    cmake_path(GET input STEM name)
    moho_embed_text(${target} ${input} ${name} FLATTEN)
  endforeach()
endfunction()

# moho_embed_text(<target> <file> <name> FLATTEN|RAW)
function(moho_embed_text target input name mode)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${name}_text.c)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${input} -DOUTPUT=${output} -DNAME=${name} -DMODE=${mode} -DROOT=${CMAKE_SOURCE_DIR}
      -DMOHO_KERNELS=${MOHO_KERNELS} -P ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
    DEPENDS ${input} ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
    DEPFILE ${output}.d
    COMMENT "Embedding ${name}" VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE)
  return()
endif()

# ---- as a script: INPUT, OUTPUT, NAME; MODE (FLATTEN unless said), ROOT (of the paths in messages: here), MOHO_KERNELS
if(NOT MODE)
  set(MODE FLATTEN)
endif()
if(NOT ROOT)
  set(ROOT ${CMAKE_CURRENT_SOURCE_DIR})
endif()
cmake_path(ABSOLUTE_PATH INPUT BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)

# Files of ours by their path below ROOT, others by name alone.
function(show file out)
  cmake_path(IS_PREFIX ROOT ${file} NORMALIZE is_ours)
  if(is_ours)
    cmake_path(RELATIVE_PATH file BASE_DIRECTORY ${ROOT} OUTPUT_VARIABLE shown)
  else()
    cmake_path(GET file FILENAME shown)
  endif()
  set(${out} ${shown} PARENT_SCOPE)
endfunction()

# CMake's lists give ; [ ] and backslashes a meaning: they travel as control characters.
string(ASCII 1 SEMICOLON)
string(ASCII 2 OPEN)
string(ASCII 3 CLOSE)
string(ASCII 4 BACKSLASH)

# The lines of a file as a list, each begun by a | so that none is empty.
function(read_lines file out)
  file(READ ${file} text)
  string(REPLACE "\r\n" "\n" text "${text}")
  string(REPLACE "\\" "${BACKSLASH}" text "${text}")
  string(REPLACE ";" "${SEMICOLON}" text "${text}")
  string(REPLACE "[" "${OPEN}" text "${text}")
  string(REPLACE "]" "${CLOSE}" text "${text}")
  string(REGEX REPLACE "\n$" "" text "${text}")
  string(REPLACE "\n" ";|" text "|${text}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# One line of text as one line of a C string.
function(append_line line)
  string(REPLACE "\"" "${BACKSLASH}\"" line "${line}")
  string(REPLACE "${BACKSLASH}" "\\\\" line "${line}")
  string(REPLACE "\\\\\"" "\\\"" line "${line}")
  string(REPLACE "??" "?\\?" line "${line}")
  string(APPEND literal "  \"${line}\\n\"\n")
  set(literal "${literal}" PARENT_SCOPE)
endfunction()

function(find_include name from out)
  cmake_path(GET from PARENT_PATH beside)
  foreach(folder ${beside} ${MOHO_KERNELS})
    if(EXISTS ${folder}/${name})
      cmake_path(SET found NORMALIZE ${folder}/${name})
      set(${out} ${found} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "${from}: #include \"${name}\" is neither beside it nor in ${MOHO_KERNELS}")
endfunction()

function(flatten file depth)
  if(depth GREATER 12)
    message(FATAL_ERROR "${file}: includes nest more than 12 deep: does it include itself?")
  endif()
  list(APPEND files ${file})
  show(${file} shown)
  append_line("#line 1 \"${shown}\"")
  read_lines(${file} lines)
  set(number 0)
  foreach(line IN LISTS lines)
    math(EXPR number "${number} + 1")
    string(SUBSTRING "${line}" 1 -1 line)
    if(MODE STREQUAL "FLATTEN" AND line MATCHES "^[ \t]*#[ \t]*include[ \t]*(.*)")
      set(what "${CMAKE_MATCH_1}")
      if(what MATCHES "^\"kern\\.h\"")
        append_line("${line}")
      elseif(what MATCHES "^\"([^\"]+)\"")
        find_include("${CMAKE_MATCH_1}" ${file} included)
        math(EXPR deeper "${depth} + 1")
        flatten(${included} ${deeper})
        math(EXPR next "${number} + 1")
        append_line("#line ${next} \"${shown}\"")
      else()
        message(FATAL_ERROR "${file}:${number}: a kernel includes only kern.h and headers of ours, got #include ${what}")
      endif()
    else()
      append_line("${line}")
    endif()
  endforeach()
  set(literal "${literal}" PARENT_SCOPE)
  set(files "${files}" PARENT_SCOPE)
endfunction()

set(literal "")
set(files "")
flatten(${INPUT} 0)
string(REPLACE "${SEMICOLON}" ";" literal "${literal}")
string(REPLACE "${OPEN}" "[" literal "${literal}")
string(REPLACE "${CLOSE}" "]" literal "${literal}")
show(${INPUT} shown)
file(WRITE ${OUTPUT} "/* Made from ${shown} by scripts/cmake/embed_kernel.cmake. */\n"
  "extern const char moho_text_${NAME}[];\nconst char moho_text_${NAME}[] =\n${literal};\n")
list(JOIN files " " files)
file(WRITE ${OUTPUT}.d "${OUTPUT}: ${files}\n")
