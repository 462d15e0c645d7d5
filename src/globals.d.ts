// The one word of AssemblyScript that assembly/abi.ts needs: here its constants are numbers like any other.
type u32 = number;
