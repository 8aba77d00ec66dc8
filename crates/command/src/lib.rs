//! What a command is: its declaration, arguments, context and errors
