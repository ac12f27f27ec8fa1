// A library with NVRTC's name and functions. It compiles nothing: the kernels were compiled before, and the "PTX" that it
// returns only names their library.
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <map>
#include <string>
#include <vector>

#include "report.h"

namespace {

enum Result : int { Success = 0, InvalidInput = 3, InvalidProgram = 4, InvalidOption = 5, CompilationFailed = 6 };

struct Program {
    std::string name, source, ptx, log;
};

const char* words(int result) {
    switch (result) {
    case 0: return "NVRTC_SUCCESS";
    case 3: return "NVRTC_ERROR_INVALID_INPUT";
    case 4: return "NVRTC_ERROR_INVALID_PROGRAM";
    case 5: return "NVRTC_ERROR_INVALID_OPTION";
    case 6: return "NVRTC_ERROR_COMPILATION";
    default: return "NVRTC_ERROR_UNKNOWN";
    }
}

/// Parses the defines, in both spellings that NVRTC accepts, sorted by name.
std::map<std::string, std::string> defined(const std::vector<std::string>& options) {
    std::map<std::string, std::string> all;
    for (size_t i = 0; i < options.size(); ++i) {
        std::string text;
        for (const char* way : {"--define-macro=", "--define-macro", "-D"}) {
            if (options[i].compare(0, strlen(way), way) != 0) continue;
            text = options[i].substr(strlen(way));
            if (text.empty() && i + 1 < options.size()) text = options[++i];
            break;
        }
        if (text.empty()) continue;
        size_t equals = text.find('=');
        all[text.substr(0, equals)] = equals == std::string::npos ? "1" : text.substr(equals + 1);
    }
    return all;
}

Result switch_fiber(const std::string& text, char* out) {
    if (out == nullptr) return InvalidInput;
    memcpy(out, text.c_str(), text.size() + 1);
    return Success;
}

} // namespace

#define NVRTC extern "C" __attribute__((visibility("default"))) Result

extern "C" __attribute__((visibility("default"))) const char* nvrtcGetErrorString(int result) { return words(result); }

NVRTC nvrtcVersion(int* major, int* minor) {
    *major = 13;
    *minor = 0;
    return Success;
}

NVRTC nvrtcGetNumSupportedArchs(int* count) {
    *count = 2;
    return Success;
}

NVRTC nvrtcGetSupportedArchs(int* archs) {
    archs[0] = 80;
    archs[1] = 90;
    return Success;
}

NVRTC nvrtcCreateProgram(Program** program, const char* source, const char* name, int headers, const char* const*,
                         const char* const*) {
    if (source == nullptr || headers != 0) return InvalidInput;
    *program = new Program{name ? name : "default_program", source, "", ""};
    return Success;
}

NVRTC nvrtcDestroyProgram(Program** program) {
    if (program == nullptr || *program == nullptr) return InvalidProgram;
    delete *program;
    *program = nullptr;
    return Success;
}

NVRTC nvrtcCompileProgram(Program* program, int count, const char* const* options) {
    if (program == nullptr) return InvalidProgram;
    std::vector<std::string> given(options, options + count);
    auto definitions = defined(given);
    std::string scalar = definitions.count("REAL") ? definitions["REAL"] : "float", all;
    definitions.erase("REAL");
    for (const std::string& option : given) all += " " + option;
    emulator::log_line("compile %s%s", program->name.c_str(), all.c_str());
    program->log.clear();
    if (const char* log = emulator::option("GRADUS_EMULATOR_NVRTC_FAILS")) {
        program->log = log;
        return CompilationFailed;
    }
    if (scalar != "float" && scalar != "double") {
        program->log = "error: the emulator has kernels for float and double, not for " + scalar + "\n";
        return CompilationFailed;
    }
    if (program->name == "default_program") {
        program->log = "error: the emulator knows sources by their names; give the program the name of its file\n";
        return CompilationFailed;
    }
    // The name of the library that crates/emulator built from this source with these defines.
    std::string name = program->name.substr(program->name.rfind('/') + 1);
    std::string module = name.substr(0, name.find('.')) + "_" + scalar;
    for (const auto& [key, value] : definitions) module += "_" + key + "-" + value;
    program->ptx = "// gradus emulator: module " + module + "\n";
    return Success;
}

NVRTC nvrtcGetPTXSize(Program* program, size_t* bytes) {
    *bytes = program->ptx.size() + 1;
    return Success;
}

NVRTC nvrtcGetPTX(Program* program, char* out) { return switch_fiber(program->ptx, out); }

NVRTC nvrtcGetProgramLogSize(Program* program, size_t* bytes) {
    *bytes = program->log.size() + 1;
    return Success;
}

NVRTC nvrtcGetProgramLog(Program* program, char* out) { return switch_fiber(program->log, out); }
