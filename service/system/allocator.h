// What malloc does with freed memory. With any malloc other than mimalloc, these do nothing.
#pragma once

namespace igptd {

// Whether freed memory is returned to the kernel at once, or kept for a while, which takes less CPU. Thread-safe.
void ReturnFreedMemory(bool at_once);

// Returns the freed memory that this thread's heap keeps.
void ReturnKeptMemory();

}  // namespace igptd
