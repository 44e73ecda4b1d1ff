using System.Text;
using OmniFusion.Cli;

// Translations are in all scripts, whatever the terminal's code page is.
Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
// What works for long is to notice when nobody reads it any more.
if (args is ["stream" or "translate", ..] && StandardStreams.Pipe() is { } output)
    Console.SetOut(output);
return await CommandRunner.Run(CommandRunner.CreateRoot(), args);
