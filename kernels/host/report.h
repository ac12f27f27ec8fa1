// Messages: faults on stderr, the log of driver calls, and options.
#pragma once

namespace emulator {

/// Writes a fault of a kernel or its launch to stderr and to the log.
void report_fault(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// Writes a line to the file named by GRADUS_EMULATOR_LOG, if it is set.
void log_line(const char* format, ...) __attribute__((format(printf, 1, 2)));
bool is_logging();

/// Returns an option from the environment, or null.
const char* option(const char* name);
/// Returns a numeric option; stops the program if it is not a number.
unsigned long long number(const char* name, unsigned long long otherwise);

} // namespace emulator
