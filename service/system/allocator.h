// What malloc does with freed memory, where it is mimalloc; elsewhere these do nothing.
#pragma once

namespace igptd {

// Whether freed memory goes back to the kernel at once, or is kept for a while, which takes less CPU. From any thread.
void ReturnFreedMemory(bool at_once);

// Gives back what this thread's heap keeps.
void ReturnKeptMemory();

}  // namespace igptd
