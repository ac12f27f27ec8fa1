#include "report.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace emulator {

namespace {

int record() {
    static const int file = [] {
        const char* path = option("GRADUS_EMULATOR_LOG");
        if (path == nullptr) return -1;
        int opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (opened < 0) fprintf(stderr, "gradus emulator: cannot write GRADUS_EMULATOR_LOG=%s\n", path);
        return opened;
    }();
    return file;
}

/// Writes a whole line at once, so that lines of several processes do not mix, and none is lost if this process dies.
void write_line(int file, const char* before, const char* format, va_list arguments) {
    char line[4096];
    int used = snprintf(line, sizeof line, "%s", before);
    used += vsnprintf(line + used, sizeof line - used - 1, format, arguments);
    if (used > int(sizeof line) - 2) used = sizeof line - 2;
    line[used++] = '\n';
    ssize_t written = write(file, line, used);
    (void)written;
}

} // namespace

void report_fault(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_line(2, "gradus emulator: ", format, arguments);
    va_end(arguments);
    if (!is_logging()) return;
    va_start(arguments, format);
    write_line(record(), "fault ", format, arguments);
    va_end(arguments);
}

bool is_logging() { return record() >= 0; }

void log_line(const char* format, ...) {
    if (!is_logging()) return;
    va_list arguments;
    va_start(arguments, format);
    write_line(record(), "", format, arguments);
    va_end(arguments);
}

const char* option(const char* name) {
    const char* value = getenv(name);
    return value == nullptr || *value == 0 ? nullptr : value;
}

unsigned long long number(const char* name, unsigned long long otherwise) {
    const char* value = option(name);
    if (value == nullptr) return otherwise;
    char* end;
    unsigned long long parsed = strtoull(value, &end, 10);
    if (*end != 0) {
        fprintf(stderr, "gradus emulator: %s=%s is not a number\n", name, value);
        abort();
    }
    return parsed;
}

} // namespace emulator
