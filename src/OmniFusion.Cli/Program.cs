using System.Text;
using OmniFusion.Cli;

// Translations are in all scripts, whatever the terminal's code page is.
Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
// A stream has no end of its own at which it would be noticed that nobody reads it.
if (args is ["stream", ..] && StreamView.Pipe() is { } output)
    Console.SetOut(output);
return await CommandRunner.Run(CommandRunner.CreateRoot(), args);
