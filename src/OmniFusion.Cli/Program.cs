using System.Text;
using OmniFusion.Cli;

// Translations are in all scripts, whatever the terminal's code page is.
Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
return await CommandRunner.Run(CommandRunner.CreateRoot(), args);
