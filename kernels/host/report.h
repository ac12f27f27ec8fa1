// What is told: faults on stderr, and the record of what the driver was asked to do.
#pragma once

namespace emulator {

/// A line on stderr and in the record: what a kernel, or its launcher, did wrong.
void complain(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// A line in the file named by GRADUS_EMULATOR_LOG; nothing where it is not set.
void note(const char* format, ...) __attribute__((format(printf, 1, 2)));
bool noting();

/// An option of the environment, or null.
const char* option(const char* name);
/// An option that is a number; stops the program where it is not one.
unsigned long long number(const char* name, unsigned long long otherwise);

} // namespace emulator
