# embed.cmake: writes OUT, a C file with the contents of FILES as the array NAME of struct TYPE
# {name, data, size}, which HEADER declares.
set(arrays "")
set(entries "")
set(number 0)
foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(APPEND arrays "static const unsigned char file_${number}[] = {${bytes}};\n")
    string(APPEND entries "    {\"${name}\", file_${number}, sizeof(file_${number})},\n")
    math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "#include \"${HEADER}\"\n\n${arrays}\n"
     "const struct ${TYPE} ${NAME}[] = {\n${entries}    {NULL, NULL, 0},\n};\n")
